-- Nothing reads sums by hour, nor the least and greatest value of a day: figures are sums of months, days and points.
DROP TABLE rollup_hour;
ALTER TABLE rollup_day DROP COLUMN min, DROP COLUMN max;
