-- Operations that a principal called on the last day and on no day before
WITH calls AS (
  SELECT useridentity.arn AS who, eventsource, eventname, min(eventtime) AS first_time, count(*) AS times
  FROM cloudtrail
  WHERE useridentity.arn IS NOT NULL
  GROUP BY 1, 2, 3
), latest AS (SELECT max(first_time) AS moment FROM calls)
SELECT who, eventsource, eventname, first_time, times
FROM calls, latest
WHERE date_diff('hour', from_iso8601_timestamp(first_time), from_iso8601_timestamp(moment)) < 24
ORDER BY first_time DESC
LIMIT 100
