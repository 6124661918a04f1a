"""Alerts of the centre itself: what keeps the figures from being true, complete and in time."""

from __future__ import annotations

from schemas.alerts.alert import PLATFORM, Alert, Record, remembered
from schemas.indicators import CHECKS

_AWAITED = "ioc_source_awaited"
"""1 for the sources whose silence means something, the only ones to be asked whether all or how many are silent."""

_OF_FIGURES = "|".join((*(check.code for check in CHECKS), "contradiction"))
"""The checks of figures; what is odd about single cases is on the page of data quality."""

RECORDS = (
    Record(
        "system:ioc_events:rate5m", PLATFORM, "sum by (system) (rate(ioc_events_total[5m]))",
        "Sự kiện mỗi giây theo hệ thống", "Events per second of each system",
    ),
    Record(
        "system:ioc_source_silence_seconds:max", PLATFORM,
        f"max by (system) (time() - ioc_source_last_recorded_timestamp_seconds and {_AWAITED} == 1)",
        "Nguồn im lặng lâu nhất của mỗi hệ thống", "How long the most silent source of each system has said nothing",
    ),
    Record(
        "system:ioc_source_stale:ratio", PLATFORM, f"avg by (system) (ioc_source_stale and {_AWAITED} == 1)",
        "Tỷ lệ nguồn mất tín hiệu của mỗi hệ thống", "Share of each system's sources that are stale",
    ),
    Record(
        "folder:ioc_disk_free:ratio", PLATFORM, "ioc_disk_free_bytes / ioc_disk_size_bytes",
        "Phần đĩa còn trống", "Share of the disk that is free",
    ),
    Record(
        "stream:ioc_nats_stream_used:ratio", PLATFORM, "ioc_nats_stream_bytes / ioc_nats_stream_limit_bytes",
        "Phần dung lượng đã dùng của mỗi luồng", "Share of each stream's room that is taken",
    ),
)  # fmt: skip

_OWN_ALERT = 'service!~"exporter|notifier|simulator"'
_FIGURES_AGE = "time() - ioc_exporter_last_success_timestamp_seconds"
_BACKUP_AGE = "time() - ioc_backup_last_success_timestamp_seconds"
_DAY = 86400


def _idle(services: str, seconds: int) -> str:
    return f"time() - ioc_last_progress_timestamp_seconds{{{services}}} > {seconds}"


def _silent(service: str) -> str:
    """Nothing answers, or another program does: it has none of the centre's figures."""
    target = f'{{job="services",{service}}}'
    return f"up{target} == 0 or scrape_samples_post_metric_relabeling{target} == 0"


def _down(service: str) -> str:
    target = f'service="{service}"'
    return f'{_silent(target)} or absent(up{{job="services",{target}}})'


ALERTS = (
    # Services.
    Alert(
        "ServiceDown", PLATFORM, "critical", _silent(_OWN_ALERT),
        "Dịch vụ <service> của trung tâm không trả lời",
        "The centre's service <service> does not answer",
        "Chạy `./ioc status` và `./ioc logs <service>`; nếu không tự khởi động lại được thì chạy `./ioc up`.",
        "Run `./ioc status` and `./ioc logs <service>`; where it cannot start by itself, run `./ioc up`.",
        hold="1m", keep="1m",
    ),
    Alert(
        "ServiceStuck", PLATFORM, "critical",
        _idle('service!~"deadlines|simulator|upkeep"', 120) + " or " + _idle('service="upkeep"', 1800),
        "Dịch vụ <service> vẫn chạy nhưng không làm được việc gì trong <for>",
        "Service <service> runs but has done nothing for <for>",
        "Xem `./ioc logs <service>`: thường là chờ máy chủ tin hoặc cơ sở dữ liệu; cả hai tốt thì khởi động lại dịch vụ.",
        "See `./ioc logs <service>`: mostly it waits for broker or database; if both are well, restart the service.",
        hold="1m",
    ),
    Alert(
        "DeadlinesStuck", PLATFORM, "critical", _idle('service="deadlines"', 120),
        "Dịch vụ theo dõi thời hạn dừng <for>: hồ sơ, phản ánh quá hạn không được báo",
        "The deadlines service has stood still for <for>: nobody hears of what becomes overdue",
        "Xem `./ioc logs deadlines`, khôi phục; việc quá hạn trong lúc dừng sẽ được báo bù ngay khi chạy lại.",
        "See `./ioc logs deadlines` and bring it back; what became overdue meanwhile is told as soon as it runs.",
        hold="1m",
    ),
    Alert(
        "ExporterDown", PLATFORM, "critical", _down("exporter"),
        "Dịch vụ xuất số liệu không trả lời: không số liệu nào được cập nhật, cảnh báo nghiệp vụ giữ nguyên trạng thái cũ",
        "The exporter does not answer: no figure is renewed, and the systems' alerts stay as they were",
        "Chạy `./ioc logs exporter`, rồi `./ioc up`; không kết luận \"không có quá hạn\" khi cảnh báo này còn.",
        "Run `./ioc logs exporter`, then `./ioc up`; nobody may say \"nothing is overdue\" while this lasts.",
        hold="1m",
    ),
    Alert(
        "FiguresOld", PLATFORM, "critical", f"{_FIGURES_AGE} > 120",
        "Đã hơn hai phút không đọc lại được số liệu",
        "No figures could be read for more than two minutes",
        "Kiểm tra cơ sở dữ liệu bằng `./ioc status`; số liệu trên bảng là của lần đọc cuối cùng.",
        "Check the database with `./ioc status`; what boards show is the last reading.",
        hold="1m",
    ),
    Alert(
        "NotifierDown", PLATFORM, "critical", _down("notifier"),
        "Dịch vụ thông báo không trả lời: cảnh báo không đến được người trực",
        "The notifier does not answer: alerts reach no one",
        "Chạy `./ioc logs notifier`, rồi `./ioc up`; trong khi chờ, cử người theo dõi màn hình.",
        "Run `./ioc logs notifier`, then `./ioc up`; until then somebody watches the screens.",
        hold="1m",
    ),
    Alert(
        "NotificationsStuck", PLATFORM, "critical", "ioc_notifier_oldest_unsent_seconds > 300",
        "Có thông báo đã chờ gửi <for>: kênh gửi tin đang lỗi",
        "A message to people has waited for <for>: its channels fail",
        "Chạy `./ioc logs notifier` xem kênh nào lỗi; gọi điện trực tiếp cho người trực về các cảnh báo đang mở.",
        "Run `./ioc logs notifier` to see which channel fails; call those on duty about the open alarms.",
        hold="1m",
    ),
    # Broker.
    Alert(
        "BrokerDown", PLATFORM, "critical", "ioc_nats_up == 0",
        "Máy chủ tin NATS không trả lời: không nhận được sự kiện mới",
        "The broker does not answer: no events are taken in",
        "Chạy `./ioc logs nats` và `./ioc up`; các nguồn giữ sự kiện và gửi lại sau.",
        "Run `./ioc logs nats` and `./ioc up`; sources keep their events and send them again.",
        hold="30s",
    ),
    Alert(
        "BrokerNotWritable", PLATFORM, "critical", "ioc_nats_writable == 0",
        "Máy chủ tin NATS từ chối ghi, thường do đĩa từng bị đầy",
        "The broker refuses to write, mostly because its disk was full",
        "Giải phóng đĩa trước, sau đó khởi động lại NATS: nó không tự ghi lại được.",
        "Make room on the disk, then restart NATS: it does not write again by itself.",
        hold="30s",
    ),
    Alert(
        "StreamNearlyFull", PLATFORM, "warning", "stream:ioc_nats_stream_used:ratio > 0.8",
        "Luồng <stream> đã dùng <percent> dung lượng; khi đầy sẽ từ chối sự kiện mới",
        "Stream <stream> has taken <percent> of its room; full, it refuses new events",
        "Tăng dung lượng cho máy chủ tin hoặc rút ngắn thời gian lưu của luồng.",
        "Give the broker more room or let the stream keep less.",
        hold="10m", keep="10m",
    ),
    Alert(
        "BrokerConnectionsHeld", PLATFORM, "warning",
        "ioc_nats_user_connections > on() group_left() (ioc_nats_connections_limit / 4)",
        "Tài khoản <user> giữ <count> kết nối tới máy chủ tin: có thể làm hết chỗ của tài khoản khác",
        "Credential <user> holds <count> connections to the broker: it may leave none to others",
        "Hỏi bên vận hành nguồn; nếu cần thì đổi mật khẩu của tài khoản đó rồi khởi động lại NATS.",
        "Ask whoever runs the source; if need be give that credential another password and restart NATS.",
        hold="1m", keep="5m",
    ),
    Alert(
        "EmitterFloods", PLATFORM, "warning",
        'rate(ioc_nats_user_messages_total{user=~"emitter_.+"}[5m]) > 1000',
        "Tài khoản <user> gửi <count> tin mỗi giây: dung lượng chung sẽ bị chiếm hết",
        "Credential <user> sends <count> messages a second: it will fill the room that all share",
        "Hỏi bên vận hành nguồn; xem `./ioc quarantine list`; nếu cần thì đổi mật khẩu của tài khoản đó.",
        "Ask whoever runs the source; see `./ioc quarantine list`; if need be change that credential's password.",
        hold="5m", keep="5m",
    ),
    Alert(
        "ConsumerBehind", PLATFORM, "warning", "ioc_nats_consumer_behind_seconds > 60",
        "<consumer> xử lý chậm <for> so với lúc sự kiện đến",
        "<consumer> is <for> behind what has arrived",
        "Theo dõi trong 10 phút; nếu không giảm thì xem `./ioc logs aggregator` và tải của máy.",
        "Watch it for ten minutes; if it does not shrink, see `./ioc logs aggregator` and the machine's load.",
        hold="5m", keep="2m", family="consumer_behind",
    ),
    Alert(
        "ConsumerFarBehind", PLATFORM, "critical", "ioc_nats_consumer_behind_seconds > 600",
        "<consumer> xử lý chậm tới <for>: số liệu trên bảng không còn là hiện tại",
        "<consumer> is <for> behind: what boards show is no longer now",
        "Xem `./ioc status`, `./ioc logs aggregator`; chạy thêm một aggregator nếu máy còn sức.",
        "See `./ioc status`, `./ioc logs aggregator`; run a second aggregator if the machine has power left.",
        hold="5m", keep="2m", family="consumer_behind",
    ),
    Alert(
        "EventsStopped", PLATFORM, "critical",
        f"min({remembered('ioc_source_stale')} and {remembered(_AWAITED)} == 1) == 1",
        "Mọi nguồn đều im lặng: không sự kiện nào đến trung tâm",
        "Every source is silent: no event reaches the centre",
        "Kiểm tra đường mạng, cổng nhận tin và aggregator trước khi hỏi từng hệ thống nguồn.",
        "Check network, doors and aggregator before asking each source.",
        hold="2m", keep="2m",
    ),
    # What could not be understood or stored.
    Alert(
        "QuarantineNotEmpty", PLATFORM, "info", 'ioc_nats_stream_messages{stream="QUARANTINE"} > 0',
        "<count> bản tin lỗi chờ xử lý, chưa được tính vào số liệu",
        "<count> events lie in the quarantine and are in no figure",
        "Chạy `./ioc quarantine list`: sửa và gửi lại, hoặc loại bỏ có ghi lý do.",
        "Run `./ioc quarantine list`: mend and resubmit, or discard with a reason.",
        hold="15m",
    ),
    Alert(
        "QuarantineGrowing", PLATFORM, "warning",
        'increase(ioc_nats_stream_stored_total{stream="QUARANTINE"}[1h]) > 20',
        "Trong một giờ có thêm <count> bản tin lỗi: có nguồn đang gửi sai",
        "<count> events went to the quarantine within an hour: some source sends wrong ones",
        "Chạy `./ioc quarantine list` xem nguồn và lý do chung, báo đơn vị vận hành nguồn sửa.",
        "Run `./ioc quarantine list`, see source and common reason, tell whoever runs the source.",
        hold="5m", keep="15m",
    ),
    Alert(
        "QuarantineTakesNothing", PLATFORM, "critical", "ioc_quarantine_outside_messages > 0",
        "<count> sự kiện bị từ chối đang chờ ngoài kho bản tin lỗi vì kho không nhận thêm được",
        "<count> refused events wait outside the quarantine, which takes nothing more",
        "Không sự kiện nào mất và tin đúng vẫn được xử lý; chạy `./ioc quarantine list`, loại bỏ hoặc gửi lại cho trống chỗ.",
        "No event is lost, and good ones go on; run `./ioc quarantine list`, then discard or resubmit to make room.",
        hold="1m", keep="5m",
    ),
    Alert(
        "BatchesRetried", PLATFORM, "warning",
        "sum without (instance) (increase(ioc_aggregator_batch_retries_total[15m])) > 5",
        "Aggregator phải làm lại <count> lô trong 15 phút vì máy chủ tin hoặc cơ sở dữ liệu chập chờn",
        "The aggregator tried <count> batches again within 15 minutes: broker or database falter",
        "Không sự kiện nào mất; xem `./ioc logs aggregator` để biết phía nào chập chờn.",
        "No event is lost; `./ioc logs aggregator` says which of them falters.",
        hold="5m", keep="15m",
    ),
    # Database and disk.
    Alert(
        "DatabaseDown", PLATFORM, "critical", "ioc_database_up == 0",
        "Cơ sở dữ liệu không trả lời: sự kiện được giữ ở máy chủ tin, số liệu đứng yên",
        "The database does not answer: events wait in the broker, figures stand still",
        "Chạy `./ioc logs timescaledb` và `./ioc up`; kiểm tra đĩa đầy trước tiên.",
        "Run `./ioc logs timescaledb` and `./ioc up`; look for a full disk first.",
        hold="30s",
    ),
    Alert(
        "DiskFilling", PLATFORM, "warning",
        f"predict_linear(ioc_disk_free_bytes[6h], {_DAY}) < 0 and folder:ioc_disk_free:ratio < 0.4",
        "Đĩa chứa <folder> sẽ đầy trong vòng một ngày nếu cứ tăng như hiện nay",
        "The disk of <folder> will be full within a day if it goes on like this",
        "Tìm thứ đang tăng (bản sao lưu cũ, nhật ký, dữ liệu), chuyển đi hoặc thêm đĩa.",
        "Find what grows (old backups, logs, data), move it away or add room.",
        hold="30m", keep="30m", family="disk",
    ),
    Alert(
        "DiskNearlyFull", PLATFORM, "critical", "folder:ioc_disk_free:ratio < 0.1",
        "Đĩa chứa <folder> chỉ còn trống <percent>",
        "Only <percent> of the disk of <folder> is free",
        "Giải phóng đĩa ngay: đĩa đầy thì NATS ngừng ghi cho đến khi được khởi động lại.",
        "Make room now: with a full disk NATS stops writing until it is restarted.",
        hold="5m", keep="5m", family="disk",
    ),
    Alert(
        "ReplicaBehind", PLATFORM, "warning", "ioc_upkeep_replica_behind_bytes > 1e9 < +Inf",
        "Bản sao cơ sở dữ liệu <slot> chậm hơn 1 GB so với bản chính",
        "The database's replica <slot> is more than 1 GB behind",
        "Kiểm tra máy và đường truyền của bản sao; truy vấn trên đó đang cũ.",
        "Check the replica's machine and line; what is read there is old.",
        hold="10m", keep="10m", family="replica",
    ),
    Alert(
        "ReplicaLost", PLATFORM, "critical", "ioc_upkeep_replica_behind_bytes == +Inf",
        "Bản sao cơ sở dữ liệu <slot> không thể theo kịp nữa",
        "The database's replica <slot> cannot follow any more",
        "Dựng lại bản sao từ bản chính; trong khi chờ mọi truy vấn chạy trên bản chính.",
        "Build the replica anew from the primary, which answers all queries until then.",
        hold="1m", family="replica",
    ),
    # Proofs: backups, rebuild, sums.
    Alert(
        "BackupMissing", PLATFORM, "warning",
        'absent(ioc_backup_last_success_timestamp_seconds > 0) and on() up{job="services",service="exporter"} == 1',
        "Trung tâm chưa từng được sao lưu",
        "The centre has never been backed up",
        "Chạy `./ioc backup` và đặt lịch sao lưu hằng ngày ra một đĩa khác.",
        "Run `./ioc backup` and schedule it daily onto another disk.",
        hold="1d", family="backup",
    ),
    Alert(
        "BackupOld", PLATFORM, "warning", f"{_BACKUP_AGE} > {_DAY} and ioc_backup_last_success_timestamp_seconds > 0",
        "Bản sao lưu gần nhất đã cách đây <for>",
        "The last backup is <for> old",
        "Xem vì sao lịch sao lưu không chạy, rồi chạy `./ioc backup`.",
        "See why the schedule did not run, then run `./ioc backup`.",
        hold="30m", family="backup",
    ),
    Alert(
        "BackupVeryOld", PLATFORM, "critical",
        f"{_BACKUP_AGE} > {3 * _DAY} and ioc_backup_last_success_timestamp_seconds > 0",
        "Đã <for> không có bản sao lưu nào thành công",
        "No backup has succeeded for <for>",
        "Chạy `./ioc backup` ngay bây giờ; nếu lỗi, chép thư mục dữ liệu sau khi `./ioc down`.",
        "Run `./ioc backup` now; if it fails, copy the data folder after `./ioc down`.",
        hold="30m", family="backup",
    ),
    Alert(
        "RebuildMismatch", PLATFORM, "critical", "ioc_rebuild_check_differences > 0",
        "Tính lại từ nhật ký sự kiện cho ra <count> dòng khác với số liệu đang dùng",
        "Folding the log anew gives <count> rows other than those in use",
        "Chạy `./ioc rebuild --check` để xem khác ở đâu; chưa công bố số liệu cho đến khi rõ nguyên nhân.",
        "Run `./ioc rebuild --check` to see where; publish no figures until the reason is known.",
    ),
    Alert(
        "RebuildCheckOld", PLATFORM, "info", f"time() - ioc_rebuild_check_timestamp_seconds > {8 * _DAY}",
        "Đã <for> chưa đối chiếu số liệu với nhật ký sự kiện",
        "The figures have not been checked against the log for <for>",
        "Chạy `./ioc rebuild --check` lúc ít việc.",
        "Run `./ioc rebuild --check` when there is little to do.",
        hold="1h",
    ),
    Alert(
        "FiguresDisagree", PLATFORM, "info", f'ioc_findings{{check=~"{_OF_FIGURES}"}} > 0',
        "<count> chỗ số liệu không khớp nhau (phép kiểm tra <check>)",
        "<count> figures do not agree with each other (check <check>)",
        "Chạy `./ioc findings`, gửi đơn vị báo cáo để đối chiếu; hệ thống không tự sửa.",
        "Run `./ioc findings` and send them to whoever reported; nothing is repaired by itself.",
        hold="15m", keep="15m",
    ),
    Alert(
        "FindingsCritical", PLATFORM, "warning", "ioc_findings_critical > 0",
        "<count> lỗi số liệu nghiêm trọng chưa được xử lý",
        "<count> critical findings about data that nobody has resolved",
        "Mở trang chất lượng số liệu, nhận kiểm tra, yêu cầu đơn vị gửi lại số đúng rồi ghi cách xử lý.",
        "Open the page of data quality, take them, have the unit report anew, then say how each was resolved.",
        hold="15m", keep="15m",
    ),
    # The road of alerts itself.
    Alert(
        "Watchdog", PLATFORM, "info", "vector(1)",
        "Tín hiệu kiểm tra: đường đi của cảnh báo thông suốt",
        "A sign of life: the road of alerts works",
        "Không phải làm gì. Nếu tín hiệu này mất, kiểm tra Prometheus, Alertmanager và dịch vụ thông báo.",
        "Nothing to do. If this sign is missing, check Prometheus, Alertmanager and the notifier.",
    ),
)  # fmt: skip
