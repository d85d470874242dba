-- What was deleted or terminated, by whom, newest first
SELECT eventtime, eventname, coalesce(useridentity.arn, useridentity.invokedby) AS who, sourceipaddress,
       recipientaccountid AS account, awsregion AS region, coalesce(errorcode, 'succeeded') AS result, requestparameters
FROM cloudtrail
WHERE regexp_like(eventname, '^(Delete|Terminate|Remove|Purge|ScheduleKeyDeletion)')
  AND readonly = 'false'
ORDER BY eventtime DESC
LIMIT 100
