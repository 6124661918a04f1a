-- Sums of points by local month: long periods are read from a few of these instead of hundreds of days.
-- A plain table: a month of all series is smaller than a day's points, and a plan over one table is made in no time.
CREATE TABLE rollup_month (
    series integer NOT NULL,
    bucket timestamptz NOT NULL,
    count  bigint NOT NULL,
    sum    numeric NOT NULL,
    PRIMARY KEY (series, bucket)
) WITH (fillfactor = 70);

INSERT INTO rollup_month
SELECT series, date_trunc('month', bucket + interval '7 hours', 'GMT') - interval '7 hours', sum(count), sum(sum)
FROM rollup_day GROUP BY 1, 2;
