-- Who was refused what, and how often
SELECT coalesce(arn, accountid) AS who, eventsource, eventname, errorcode, CAST(sum(calls) AS bigint) AS times,
       date_format(min(firsttime), '%Y-%m-%dT%H:%i:%sZ') AS first_time,
       date_format(max(lasttime), '%Y-%m-%dT%H:%i:%sZ') AS last_time
FROM activity
WHERE regexp_like(errorcode, 'AccessDenied|UnauthorizedOperation|Forbidden|NotAuthorized')
GROUP BY 1, 2, 3, 4
ORDER BY times DESC
LIMIT 100
