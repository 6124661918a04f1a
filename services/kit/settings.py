"""Where a service finds its broker, database and credentials: environment variables, each with a default for one
machine."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The settings of one process. Every field is the variable `IOC_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="IOC_", frozen=True)

    user: str = Field(
        "cli", description="the credential this process acts as, in NATS; its password is the file of that name"
    )
    nats_url: str = Field(
        "nats://127.0.0.1:4222", description="the broker; a user and password inside win over `secrets`"
    )
    database_url: str = Field(
        "postgresql://127.0.0.1:5433/ioc", description="the database; a user inside wins over `secrets`"
    )
    secrets: Path | None = Field(None, description="folder with one password file per credential")
    health_port: int | None = Field(None, description="port of /health and /metrics on loopback; none: not served")
    emitters_port: int = Field(8010, description="port of the emitters' HTTP door on loopback")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")

    def password(self, credential: str) -> str | None:
        """The password of a credential, or None where there is no secrets folder."""
        return (self.secrets / credential).read_text().strip() if self.secrets else None

    def nats(self) -> dict[str, str | None]:
        """Keyword arguments `user` and `password` for a NATS connection; empty where the URL carries them."""
        if urlsplit(self.nats_url).username or self.secrets is None:
            return {}
        return {"user": self.user, "password": self.password(self.user)}

    def database(self, role: str) -> str:
        """The connection URL for a role (`owner`, `aggregator`, `deadlines`, `reader`), password inside."""
        parts = urlsplit(self.database_url)
        if parts.username or self.secrets is None:
            return self.database_url
        name = f"ioc_{role}"
        netloc = f"{name}:{quote(self.password(name) or '', safe='')}@{parts.netloc}"
        return urlunsplit(parts._replace(netloc=netloc))
