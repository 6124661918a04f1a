"""The centre's own health: services, broker, database, disk, backups, and whether the log and its figures agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from grafana_foundation_sdk.builders import bargauge, common, stat, table, timeseries
from grafana_foundation_sdk.models import common as options

from dashboards import lists
from dashboards.marks import alarms
from dashboards.panels import (
    BAD,
    CLOCK,
    GOOD,
    Board,
    Panel,
    Query,
    ValueStyle,
    by_name,
    course,
    now,
    rows,
    switch,
    tidy,
)
from dashboards.pieces import COLOURED, last
from dashboards.texts import PLATFORM, SERVICES, SEVERITIES, TITLES, UP, WRITABLE, Language, Text, Words
from dashboards.variables import unit
from schemas.indicators.label_texts import EVENTS, SOURCES
from schemas.sources import EMITTERS, NOTICES

Kind = Literal["now", "course", "bars"]
PER_SECOND = "$__rate_interval"


@dataclass(frozen=True)
class Row:
    """One panel: its queries are (expression, legend) each; `words` are for series that bear a code."""

    key: str
    kind: Kind
    vi: str
    en: str
    about_vi: str
    about_en: str
    queries: tuple[tuple[str, str], ...]
    style: ValueStyle
    size: tuple[int, int]
    words: Words | None = None
    empty: Text | None = None


def _above(edge: float, unit: str = "locale", decimals: int | None = None) -> ValueStyle:
    """Orange from `edge` on."""
    return ValueStyle(unit, decimals, ((None, GOOD), (edge, BAD)))


def _below(edge: float, unit: str = "locale", decimals: int | None = None) -> ValueStyle:
    """Orange below `edge`."""
    return ValueStyle(unit, decimals, ((None, BAD), (edge, GOOD)))


RATE = ValueStyle("cps", 1)
SECONDS = ValueStyle("s", 1)
QUANTILES = (0.5, 0.95, 0.99)
CONSUMERS = {
    f"{name}{sign}": Text(words.vi + sign, words.en + sign)
    for name, words in SERVICES.items()
    for sign in ("", " ?", " ↻")
}
SOON = Text("tiến trình này chưa chạy đủ lâu", "the process has not run for long enough")

ROWS = (
    Row("up", "now", "Dịch vụ", "Services", "Dịch vụ nào trả lời Prometheus.", "Which services answer Prometheus.",
        (('min by (service) (up{job="services"})', "{{service}}"),), switch(UP, "1"), (24, 3), SERVICES),
    Row("nats", "now", "NATS", "NATS", "Máy chủ NATS có trả lời không.", "Whether the broker answers.",
        (("min(ioc_nats_up)", ""),), switch(UP, "1"), (3, 4)),
    Row("writable", "now", "Ghi vào NATS", "Writing to NATS",
        "NATS còn nhận tin mới không; sau khi đĩa đầy phải khởi động lại NATS.", "Whether the broker takes new messages; after a full disk it must be restarted.",
        (("min(ioc_nats_writable)", ""),), switch(WRITABLE, "1"), (3, 4)),
    Row("database", "now", "TimescaleDB", "TimescaleDB", "Cơ sở dữ liệu có trả lời không.", "Whether the database answers.",
        (("min(ioc_database_up)", ""),), switch(UP, "1"), (3, 4)),
    Row("quarantined", "now", "Bản tin lỗi chờ xử lý", "Messages in quarantine",
        "Bản tin không hiểu được, chờ sửa và gửi lại (`ioc quarantine list`).", "What could not be understood and waits to be mended and resubmitted (`ioc quarantine list`).",
        (('max(ioc_nats_stream_messages{stream="QUARANTINE"})', ""),), _above(1, decimals=0), (3, 4)),
    Row("backup", "now", "Tuổi bản sao lưu", "Age of the backup", "Từ bản sao lưu thành công gần nhất đến nay; cam: quá 26 giờ.", "Since the last backup that succeeded; orange: more than 26 hours.",
        (("time() - max(ioc_backup_last_success_timestamp_seconds)", ""),), _above(26 * 3600, "s", 1), (3, 4),
        empty=Text("chưa sao lưu lần nào", "no backup was ever made")),
    Row("rebuild", "now", "Khác biệt khi dựng lại", "Differences of a rebuild",
        "Số dòng khác nhau giữa số liệu đang dùng và số liệu dựng lại từ nhật ký (`ioc rebuild --check`); phải là 0.", "Rows that differ between the live figures and a fold of the log (`ioc rebuild --check`); must be 0.",
        (("max(ioc_rebuild_check_differences)", ""),), _above(1, decimals=0), (3, 4),
        empty=Text("chưa kiểm tra lần nào", "never checked yet")),
    Row("rebuilt", "now", "Lần kiểm tra dựng lại", "Last rebuild check", "Lúc kiểm tra dựng lại gần nhất.", "When the log was last folded anew and compared.",
        (("max(ioc_rebuild_check_timestamp_seconds) * 1000", ""),), ValueStyle(CLOCK), (3, 4),
        empty=Text("chưa kiểm tra lần nào", "never checked yet")),
    Row("watchdog", "now", "Đường cảnh báo", "Road of alerts",
        "Cảnh báo Watchdog luôn phát: vắng nó là đường cảnh báo bị đứt.", "The alert Watchdog always fires: without it the road of alerts is cut.",
        (('max(ALERTS{alertname="Watchdog",alertstate="firing"})', ""),), switch(UP, "1"), (3, 4),
        empty=Text("Prometheus chạy mà chưa nạp các luật", "Prometheus runs without the rules")),
    Row("progress", "course", "Từ lần tiến triển gần nhất", "Since the last progress",
        "Mỗi dịch vụ bao lâu chưa làm xong việc nào, hoặc chưa xác nhận là không có việc.", "For how long each service has neither done its work nor found none to do.",
        (("time() - max by (service) (ioc_last_progress_timestamp_seconds)", "{{service}}"),), SECONDS, (12, 7), SERVICES),
    Row("events", "course", "Sự kiện theo hệ thống", "Events by system", "Sự kiện được ghi nhận mỗi giây.", "Events recorded in a second.",
        ((f"sum by (system) (rate(ioc_events_total[{PER_SECOND}]))", "{{system}}"),), RATE, (12, 7), TITLES),
    Row("behind", "course", "Bộ đọc chậm bao lâu", "Consumers behind", "Tuổi của tin cũ nhất mà bộ đọc chưa xử lý.", "Age of the oldest message that a consumer has not handled.",
        (("max by (stream, consumer) (ioc_nats_consumer_behind_seconds)", "{{consumer}}"),), SECONDS, (12, 7), SERVICES),
    Row("pending", "course", "Tin đang chờ", "Messages waiting", "Tin trong luồng mà bộ đọc chưa nhận, và tin đã nhận mà chưa xác nhận.", "Messages that a consumer has not taken, and those taken but not acknowledged.",
        (("max by (consumer) (ioc_nats_consumer_pending_messages)", "{{consumer}}"),
         ("max by (consumer) (ioc_nats_consumer_unacknowledged_messages)", "{{consumer}} ?"),
         ("max by (consumer) (ioc_nats_consumer_redelivered_messages)", "{{consumer}} ↻")), ValueStyle(decimals=0), (12, 7), CONSUMERS),
    Row("fill", "bars", "Mức đầy của luồng", "Fill of the streams", "Dung lượng đã dùng so với giới hạn của luồng; cam: từ 80%.", "Bytes used of the stream's limit; orange: from 80%.",
        (("max by (stream) (ioc_nats_stream_bytes / (ioc_nats_stream_limit_bytes > 0))", "{{stream}}"),), _above(0.8, "percentunit", 1), (8, 6)),
    Row("stored", "course", "Tin vào luồng", "Messages into the streams", "Tin mới mỗi giây.", "New messages in a second.",
        ((f"sum by (stream) (rate(ioc_nats_stream_stored_total[{PER_SECOND}]))", "{{stream}}"),), RATE, (8, 6)),
    Row("doors", "course", "Cửa tiếp nhận", "Doors", "Yêu cầu được nhận và bị từ chối mỗi giây ở cửa HTTP.", "Requests taken and refused in a second at the HTTP doors.",
        ((f"sum by (emitter) (rate(ioc_emitter_events_total[{PER_SECOND}]))", "{{emitter}}"),
         (f"sum by (code) (rate(ioc_emitter_refused_total[{PER_SECOND}]))", "{{code}}")), RATE, (8, 6), {name: SOURCES[name] for name in EMITTERS if name in SOURCES},
        empty=Text("chưa ai gửi qua cửa HTTP", "nobody has sent by HTTP yet")),
    Row("batches", "course", "Thời gian một lô", "Time of a batch", "Từ lúc cầm lô đến lúc đã ghi và xác nhận: trung vị, 95%, 99%.", "From a batch in hand to committed and acknowledged: median, 95%, 99%.",
        tuple((f"histogram_quantile({q}, sum by (le) (rate(ioc_aggregator_batch_seconds_bucket[{PER_SECOND}])))", f"{q:.0%}") for q in QUANTILES), ValueStyle("s", 3), (8, 7), empty=SOON),
    Row("stored_events", "course", "Bộ tổng hợp", "Aggregator", "Sự kiện mới, trùng và lỗi mỗi giây.", "Events new, met again and quarantined in a second.",
        ((f"sum(rate(ioc_aggregator_events_stored_total[{PER_SECOND}]))", "+"),
         (f"sum(rate(ioc_aggregator_events_duplicate_total[{PER_SECOND}]))", "="),
         (f"sum by (code) (rate(ioc_aggregator_events_quarantined_total[{PER_SECOND}]))", "{{code}}")), RATE, (8, 7),
        {"+": Text("mới", "new"), "=": Text("trùng", "met again")}, SOON),
    Row("retries", "course", "Thử lại", "Retries", "Lô phải thử lại vì NATS hoặc cơ sở dữ liệu không trả lời, và số lần dựng lại bộ đọc.", "Batches tried again since broker or database did not answer, and consumers made anew.",
        ((f"sum(increase(ioc_aggregator_batch_retries_total[{PER_SECOND}]))", "+"),
         (f"sum(increase(ioc_aggregator_consumer_recreated_total[{PER_SECOND}]))", "=")), ValueStyle(decimals=0), (8, 7),
        {"+": Text("lô thử lại", "batches again"), "=": Text("bộ đọc dựng lại", "consumers anew")}, SOON),
    Row("notices", "course", "Thông báo đến hạn", "Deadline notices", "Thông báo sắp đến hạn và quá hạn đã phát mỗi giây.", "Notices of due and overdue things published in a second.",
        ((f"sum by (event) (rate(ioc_deadlines_notices_published_total[{PER_SECOND}]))", "{{event}}"),), RATE, (8, 6), {event: EVENTS[event] for event in NOTICES},
        empty=Text("chưa có gì đến hạn từ khi dịch vụ chạy", "nothing fell due since the service runs")),
    Row("round", "course", "Một vòng đọc số liệu", "A round of readings", "Thời gian đọc mọi số liệu một lần, và tuổi của lần đọc thành công gần nhất.", "How long reading all figures takes, and the age of the last success.",
        (("max(ioc_exporter_round_seconds)", "+"), ("time() - max(ioc_exporter_last_success_timestamp_seconds)", "=")), SECONDS, (8, 6),
        {"+": Text("một vòng", "a round"), "=": Text("từ lần thành công", "since success")}),
    Row("replica", "course", "Bản sao chậm bao nhiêu", "Replica behind", "Nhật ký mà bản sao chưa nhận.", "Log that a replica has not got yet.",
        (("max by (slot) (ioc_upkeep_replica_behind_bytes)", "{{slot}}"),), ValueStyle("bytes", 0), (8, 6),
        empty=Text("không có bản sao (`ioc up --replica`)", "there is no replica (`ioc up --replica`)")),
    Row("tables", "bars", "Dung lượng bảng", "Size of tables", "Bảng và chỉ mục của nó.", "Tables with their indexes.",
        (("sort_desc(max by (table) (ioc_upkeep_table_bytes))", "{{table}}"),), ValueStyle("bytes", 1, ((None, GOOD),)), (8, 8), empty=SOON),
    Row("chunks", "bars", "Số mảnh của bảng thời gian", "Chunks of hypertables", "Mỗi mảnh giữ một khoảng thời gian.", "Each chunk holds a span of time.",
        (("max by (table) (ioc_upkeep_table_chunks)", "{{table}}"),), ValueStyle(decimals=0, steps=((None, GOOD),)), (8, 8), empty=SOON),
    Row("disk", "bars", "Đĩa còn trống", "Disk free", "Phần còn trống của đĩa; cam: dưới 15%.", "Share of the disk that is free; orange: below 15%.",
        (("min by (folder) (ioc_disk_free_bytes / ioc_disk_size_bytes)", "{{folder}}"),), _below(0.15, "percentunit", 1), (8, 8)),
    Row("alarms_active", "now", "Cảnh báo chưa kết thúc", "Alarms going on", "Theo mức độ.", "By severity.",
        (("sum by (severity) (ioc_notifier_alarms_active)", "{{severity}}"),), ValueStyle(decimals=0), (8, 4), SEVERITIES,
        Text("không có cảnh báo nào", "there is no alarm")),
    Row("unsent", "now", "Tin báo chờ gửi", "Messages to people waiting", "Tin báo đến hạn cũ nhất đã chờ bao lâu.", "For how long the oldest message that is due has waited.",
        (("max(ioc_notifier_oldest_unsent_seconds)", ""),), _above(120, "s", 1), (4, 4),
        empty=Text("dịch vụ báo tin không chạy", "the notifier does not run")),
    Row("told", "course", "Tin báo đã gửi", "Messages to people", "Tin báo gửi được và gửi hỏng theo kênh, mỗi giây.", "Messages sent and failed by channel, in a second.",
        ((f"sum by (channel, result) (rate(ioc_notifier_notifications_total[{PER_SECOND}]))", "{{channel}} {{result}}"),), RATE, (12, 4),
        empty=Text("chưa có tin báo nào từ khi dịch vụ chạy", "none since the service runs")),
    Row("forgotten", "now", "Giữ từ", "Kept since", "Trước lúc này chỉ còn số liệu theo ngày và việc chưa xong.", "Before this only daily figures and open state are kept.",
        (("max(ioc_upkeep_horizon_timestamp_seconds > 0) * 1000", ""),), ValueStyle(CLOCK), (4, 4),
        empty=Text("vẫn giữ tất cả", "all is still kept")),
    Row("simulator", "now", "Mô phỏng chậm", "Simulator behind", "Bộ mô phỏng chậm so với lịch của nó.", "How far the simulator is behind its plan.",
        (("max(ioc_simulator_lag_seconds)", ""),), _above(60, "s", 1), (4, 4),
        empty=Text("bộ mô phỏng chỉ chạy trong bản trình diễn", "the simulator runs in the demo alone")),
    Row("findings", "bars", "Số liệu không khớp", "Figures that do not agree", "Tổng phải bằng nhau mà không bằng (`ioc findings`).", "Sums that must agree and do not (`ioc findings`).",
        (("max by (check) (ioc_findings)", "{{check}}"),), _above(1, decimals=0), (16, 4)),
)  # fmt: skip
"""All panels but the tables, from the most to the least pressing."""


def platform(language: Language) -> Board:
    """The platform's dashboard in a language."""
    about = Text("Dịch vụ, NATS, TimescaleDB, đĩa, sao lưu, độ trễ và cảnh báo của chính trung tâm.",
                 "Services, broker, database, disk, backups, delays and alerts of the centre itself.")  # fmt: skip
    board = Board("platform", PLATFORM, about, language)
    board.dashboard.time("now-6h", "now").variables([unit(board)]).annotations([alarms(board)])
    for row in ROWS:
        queries: list[Query] = [
            (course if row.kind == "course" else now)(expr, ref, legend)
            for ref, (expr, legend) in zip("ABCDEF", row.queries, strict=False)
        ]
        panel = _panel(board, row)
        board.add(row.key, panel, Text(row.vi, row.en), Text(row.about_vi, row.about_en), row.size, queries, row.empty)
    _firing(board)
    lists.alarms(board, (12, 9))
    return board


def _panel(board: Board, row: Row) -> Panel:
    panel: stat.Panel | timeseries.Panel | bargauge.Panel
    if row.kind == "course":
        panel = timeseries.Panel().fill_opacity(5).show_points(options.VisibilityMode.AUTO)
        legend = common.VizLegendOptions().show_legend(True).placement(options.LegendPlacement.BOTTOM)
        panel.legend(legend.display_mode(options.LegendDisplayMode.LIST))
    elif row.kind == "bars":
        panel = bargauge.Panel().orientation(options.VizOrientation.HORIZONTAL)
        panel.display_mode(options.BarGaugeDisplayMode.BASIC)
        last(panel)
    else:
        panel = stat.Panel().graph_mode(options.BigValueGraphMode.NONE)
        last(panel)
    board.apply_style(panel, row.style)
    if row.kind == "course":
        panel.color_scheme(by_name())
    board.name_series(panel, row.words or {})
    return panel


def _firing(board: Board) -> None:
    """What Prometheus itself holds to be the matter, before anybody was told."""
    panel = table.Panel().cell_height(options.TableCellHeight.SM)
    grave = ValueStyle(words=SEVERITIES, colours={"critical": BAD, "warning": "yellow", "info": GOOD})
    board.column(panel, "severity", Text("Mức độ", "Severity"), COLOURED, how=grave)
    board.column(panel, "alertname", Text("Luật", "Rule"))
    board.column(panel, "system", Text("Hệ thống", "System"), how=ValueStyle(words=TITLES))
    board.column(panel, "Value", Text("Số lượng", "Number"), how=ValueStyle(decimals=0))
    panel.transformations(tidy("Time", order=("severity", "alertname", "system", "Value")))
    title = Text("Luật đang phát", "Rules firing")
    what = Text(
        "Các luật của Prometheus đang phát, theo mức độ và hệ thống.",
        "Rules of Prometheus that fire, by severity and system.",
    )
    expr = 'count by (severity, alertname, system) (ALERTS{alertstate="firing",alertname!="Watchdog"})'
    quiet = Text("không có luật nào phát", "no rule fires")
    board.add("firing", panel, title, what, (12, 9), [rows(expr)], quiet)
