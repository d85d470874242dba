-- Which access keys were used, from how many addresses, for what, and how often they were refused
SELECT useridentity.accesskeyid AS access_key, max(coalesce(useridentity.arn, useridentity.accountid)) AS who,
       count(*) AS calls, count_if(errorcode IS NOT NULL) AS refused, approx_distinct(eventname) AS operations,
       approx_distinct(sourceipaddress) AS addresses, min(eventtime) AS first_used, max(eventtime) AS last_used
FROM cloudtrail
WHERE useridentity.accesskeyid LIKE 'AKIA%'
GROUP BY useridentity.accesskeyid
ORDER BY calls DESC
LIMIT 100
