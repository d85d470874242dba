-- Which access keys were used, from how many addresses, for what, and how often they were refused
WITH busiest AS (
  SELECT accesskeyid AS access_key, max(coalesce(arn, accountid)) AS who, CAST(sum(calls) AS bigint) AS calls,
         CAST(sum(CASE WHEN errorcode IS NULL THEN 0 ELSE calls END) AS bigint) AS refused,
         approx_distinct(eventname) AS operations,
         date_format(min(firsttime), '%Y-%m-%dT%H:%i:%sZ') AS first_used,
         date_format(max(lasttime), '%Y-%m-%dT%H:%i:%sZ') AS last_used
  FROM activity
  WHERE accesskeyid LIKE 'AKIA%'
  GROUP BY accesskeyid
  ORDER BY calls DESC
  LIMIT 100
), places AS (
  SELECT useridentity.accesskeyid AS used_key, approx_distinct(sourceipaddress) AS addresses
  FROM cloudtrail
  WHERE useridentity.accesskeyid LIKE 'AKIA%'
  GROUP BY 1
)
SELECT access_key, who, calls, refused, operations, addresses, first_used, last_used
FROM busiest LEFT JOIN places ON used_key = access_key
ORDER BY calls DESC
