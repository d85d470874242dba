-- Operations that a principal called on the last day and on no day before
WITH last_day AS (
  SELECT max(lasttime) - interval '24' hour AS began FROM activity
), seen AS (
  SELECT arn, eventsource, eventname, min(firsttime) AS first_time, CAST(sum(calls) AS bigint) AS times
  FROM activity
  WHERE arn IS NOT NULL
  GROUP BY 1, 2, 3
)
SELECT arn AS who, eventsource, eventname, date_format(first_time, '%Y-%m-%dT%H:%i:%sZ') AS first_time, times
FROM seen, last_day
WHERE seen.first_time > began
ORDER BY seen.first_time DESC
LIMIT 100
