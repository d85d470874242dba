-- Who was refused what, and how often
SELECT coalesce(useridentity.arn, useridentity.accountid) AS who, eventsource, eventname, errorcode, count(*) AS times,
       min(eventtime) AS first_time, max(eventtime) AS last_time
FROM cloudtrail
WHERE regexp_like(errorcode, 'AccessDenied|UnauthorizedOperation|Forbidden|NotAuthorized')
GROUP BY 1, 2, 3, 4
ORDER BY times DESC
LIMIT 100
