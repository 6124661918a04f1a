"""Where a service finds its broker, database and credentials: environment variables, each with a default for one
machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from pydantic import AwareDatetime, BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas import indicators, units
from schemas.instance import CREDENTIAL, Identity, identity
from schemas.procedures import payment_clock, portals
from schemas.text import files, moments


@cache
def _take_in(table: Path, add: Callable[[Iterable[str], str], None]) -> None:
    """Once in a process, however many settings it makes."""
    add(files.lines(files.decode(table.read_bytes(), table.name)), table.name)


class Settings(BaseSettings):
    """The settings of one process. Every field is the variable `IOC_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="IOC_", env_ignore_empty=True, frozen=True)

    user: str = Field(
        "cli", description="the credential this process acts as, in NATS; its password is the file of that name"
    )
    nats_url: str = Field(
        "nats://127.0.0.1:4222",
        description="the broker, or the nodes of its cluster with commas between; a user and password inside win over "
        "`secrets`",
    )
    nats_host: str | None = Field(
        None,
        description="where the broker that `ioc up` starts, and its gateway for devices, is heard by other machines "
        "(0.0.0.0: on every address of this one): by TLS alone, so with `tls_certificate`; none: on loopback, without",
    )
    nats_certificate: Path | None = Field(
        None,
        description="full path of the very certificate (PEM) that the broker shows: none but who has its key is "
        "spoken to, whatever name it is reached by; of a broker with `nats_host` it is known by itself",
    )
    nats_replicas: int | None = Field(
        None, ge=1, le=5, description="copies of each stream; none: three where `nats_url` names three nodes, else one"
    )
    nats_storage: int = Field(
        10 * 2**30, ge=2**20, description="bytes that a broker of your own has for streams, on each node of a cluster"
    )
    database_url: str = Field(
        "postgresql://127.0.0.1:5433/ioc", description="the database; a user inside wins over `secrets`"
    )
    reader_url: str | None = Field(
        None,
        description="where readings are taken from, hosts with commas between are tried in order; none: `database_url`",
    )
    nats_monitor_url: str | None = Field(
        None,
        description="the broker's monitoring address, with commas between nodes: its health check alone tells that a "
        "stream takes nothing more; none: not asked",
    )
    secrets: Path | None = Field(None, description="folder with one password file per credential")
    host: str = Field("127.0.0.1", description="the address that all doors of ours listen on; in a container 0.0.0.0")
    health_port: int | None = Field(None, description="port of /health and /metrics; none: not served")
    emitters_port: int = Field(8010, description="port of the emitters' HTTP door")
    emitter_rate: float = Field(
        500, gt=0, description="events per second that one emitter's credential may send by HTTP, ten seconds' at once"
    )
    emitter_bytes: float = Field(
        8 * 2**20, gt=0, description="bytes per second that one emitter's credential may send by HTTP"
    )
    open311_public: bool = Field(
        False, description="whether reports are told without a key by Open311; never a number or a word of a citizen's"
    )
    mqtt: bool = Field(
        False, description="whether devices are heard by MQTT 3.1.1, on the broker's port `mqtt` (1883) of this machine"
    )
    notifier_port: int = Field(8011, description="port of the notifier's HTTP door: Alertmanager, people's actions")
    notifier_url: str | None = Field(
        None, description="where people reach the notifier's door, for links to runbooks; none: this machine's own"
    )
    notifier_door: str | None = Field(
        None, description="where the board reaches the notifier's door; none: `notifier_port` on this machine"
    )
    notifier_settling: float = Field(
        90,
        ge=0,
        description="seconds for which alerts must come through after an alert's end before that is believed: so long "
        "a Prometheus that starts anew needs until all that goes on fires again",
    )
    alertmanager_url: str = Field(
        "http://127.0.0.1:9093", description="where the notifier asks Alertmanager which alerts go on"
    )
    grafana_url: str = Field("http://127.0.0.1:3000", description="where people reach Grafana, for links in messages")
    routes: Path | None = Field(
        None,
        description="full path of the table of who is told of what (like `services/notifier/routes.example.toml`); "
        "none: `routes.toml` in the data folder if it is there, else nobody is told",
    )
    channels: Path | None = Field(
        None,
        description="full path of a folder that the notifier may write: the addresses that routes name by `url_file`, "
        "Zalo's tokens; none: `secrets`",
    )
    board_port: int = Field(8020, description="port of the board")
    board_public: bool = Field(
        False, description="whether the board shows figures without login; never dossiers, nor small counts"
    )
    board_url: str | None = Field(
        None,
        description="where people reach the board, if a proxy with a name of its own stands before it; for log-in; "
        "without a path, as the board needs a name or a port of its own",
    )
    board_place: str = Field(
        "", max_length=60, description="name of the locality as it stands on every page of the board; empty: none"
    )
    board_emblem: Path | None = Field(
        None,
        description="full path of the locality's emblem, PNG or SVG, at most 512 KiB, on every page of the board and "
        "on paper; an SVG that runs or fetches anything is refused; none or empty: no emblem",
    )
    proxies: str = Field(
        "127.0.0.1",
        description="the proxies (addresses or networks, commas between) whose word is taken for a visitor's address "
        "and scheme; through any other proxy all visitors come from one address, and share its limits",
    )
    oidc_issuer: str | None = Field(
        None,
        description="the OpenID provider through which people may enter the board, `https://…`, as its own "
        "`/.well-known/openid-configuration` says it; none: passwords alone",
    )
    oidc_client: str = Field("ioc", description="the board's client id at the OpenID provider")
    oidc_secret: Path | None = Field(
        None,
        description="full path of a file with the board's client secret there; none or empty: a public client",
    )
    oidc_scope: str = Field("openid profile email groups", description="what the board asks the provider for")
    oidc_name: str = Field("name", description="the claim with a person's name, in the id token")
    oidc_groups_claim: str = Field("groups", description="the claim with a person's groups, in the id token")
    oidc_groups: dict[str, str] = Field(
        {},
        description="group -> role, and codes of the units it is bounded to, as JSON: "
        '`{"van-phong": "supervisor", "mot-cua": "operator phuong_chon_thanh"}`; who is in none of them does not enter',
    )
    retention_days: int = Field(
        3660, description="how long events, points and what has ended are kept; days and open state stay for ever"
    )
    stream_days: dict[Literal["EVENTS", "QUARANTINE", "ALERTS"], Annotated[int, Field(ge=1, le=400)]] = Field(
        {},
        description='how long the broker keeps a stream, as `{"QUARANTINE": 30}`; what is not named 400 days, which is '
        "the most; it holds from the next start on",
    )
    data: Path | None = Field(None, description="folder of this centre, where a service keeps what it must remember")
    exporter_seconds: float = Field(
        15, ge=0.1, le=300, description="how often the exporter reads the figures that `/metrics` gives out"
    )
    simulator_seed: int = Field(2024, description="the simulated district's chance: the same seed, the same district")
    simulator_rate: float = Field(
        0.06, ge=0.05, le=5000, description="events per second of the simulated district, the mean over a week"
    )
    simulator_start: Annotated[AwareDatetime | None, BeforeValidator(moments.instant)] = Field(
        None,
        description="the moment from which the district is simulated; none: the Monday of the last working day "
        "before the first start",
    )
    units: Path | None = Field(
        None,
        description="full path of a table of further administrative units, in the form of `schemas/units/units.csv`",
    )
    payment_clock: Path | None = Field(
        None,
        description="full path of a table of procedures whose clock does (1) or does not (0) stand while a payment is "
        "awaited, in the form of `schemas/procedures/payment_clock.csv`; a change is taken up at the next start",
    )
    portals: Path | None = Field(
        None,
        description="full path of a table of the portals that dossiers' codes tell of, in the form of "
        "`schemas/procedures/portals.csv`, whose rows it replaces by number; a change is taken up at the next start",
    )
    indicators: Path | None = Field(
        None,
        description="full path of a table of indicators of an office's own, see docs/deploy.md",
    )
    report_texts: Path | None = Field(
        None,
        description="full path of an office's own words of the month's report, in the form of "
        "`services/reports/report.toml`; none: that file",
    )
    report_schedule: str = Field(
        "",
        description="day of the month and local time at which the month before is reported and kept as an issue, as "
        "`3 07:00`; empty: no report is made by itself",
    )
    report_units: str = Field(
        "", description="units (codes or names, commas between) whose reports are made so; empty: the whole locality"
    )
    brief_texts: Path | None = Field(
        None,
        description="full path of an office's own words of the morning brief, in the form of "
        "`services/reports/brief.toml`; none: that file",
    )
    report_fonts: Path | None = Field(
        None,
        description="full path of a folder with Liberation Serif 2, which a PDF embeds; none: this machine's, "
        "else fetched beside the servers",
    )
    tls_certificate: Path | None = Field(
        None,
        description="full path of a certificate with its chain (PEM), with which emitters, board and the devices' "
        "gateway speak TLS; together with `tls_key`",
    )
    tls_key: Path | None = Field(None, description="full path of that certificate's key (PEM, without a password)")
    tls_ca: Path | None = Field(
        None,
        description="full path of the certificates (PEM) of who signed those of the broker (`tls://…`) and the "
        "database (`sslmode=verify-full`), where this machine does not trust them by itself",
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")

    @model_validator(mode="after")
    def _know_units(self) -> Self:
        """A process that has settings knows the centre's own tables; `OSError` or an error of validation if not."""
        tables = (
            (self.units, units.add), (self.payment_clock, payment_clock.add), (self.portals, portals.add),
            (self.indicators, indicators.add),
        )  # fmt: skip
        for table, add in tables:
            if table:
                _take_in(table.resolve(), add)
        return self

    @model_validator(mode="after")
    def _certificate_and_key(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("IOC_TLS_CERTIFICATE and IOC_TLS_KEY are set together, or neither")
        return self

    def password(self, credential: str) -> str | None:
        """The password of a credential, or None where there is no secrets folder."""
        return files.read(self.secrets / credential).strip() if self.secrets else None

    def credential(self, name: str) -> str | None:
        """As `password`, of one that not every centre has."""
        return self.password(name) if self.secrets and (self.secrets / name).exists() else None

    @property
    def instance(self) -> Identity | None:
        """What tells this centre's processes from others'; None where it has no such secret."""
        file = self.secrets / CREDENTIAL if self.secrets else None
        return identity(file.read_text().strip()) if file and file.exists() else None

    @property
    def nats_servers(self) -> list[str]:
        """The address of each node of the broker."""
        return self.nats_url.split(",")

    @property
    def replicas(self) -> int:
        """How many nodes keep each stream."""
        return self.nats_replicas or (3 if len(self.nats_servers) >= 3 else 1)

    def nats(self) -> dict[str, str | None]:
        """Keyword arguments `user` and `password` for a NATS connection; empty where the URL carries them."""
        if urlsplit(self.nats_servers[0]).username or self.secrets is None:
            return {}
        return {"user": self.user, "password": self.password(self.user)}

    def database(self, role: str) -> str:
        """The connection URL for a role (`owner`, `aggregator`, `deadlines`, `reader`), password inside."""
        url = self.reader_url if role == "reader" and self.reader_url else self.database_url
        parts = urlsplit(url)
        said = dict(parse_qsl(parts.query))
        if self.tls_ca and said.get("sslmode", "").startswith("verify-") and "sslrootcert" not in said:
            url = f"{url}&{urlencode({'sslrootcert': str(self.tls_ca)})}"
            parts = urlsplit(url)
        if parts.username or self.secrets is None:
            return url
        name = f"ioc_{role}"
        netloc = f"{name}:{quote(self.password(name) or '', safe='')}@{parts.netloc}"
        return urlunsplit(parts._replace(netloc=netloc))
