-- What the root user did
SELECT eventtime, recipientaccountid AS account, eventname, eventsource, sourceipaddress, useragent,
       coalesce(errorcode, errormessage, 'succeeded') AS result
FROM cloudtrail
WHERE useridentity.type = 'Root' AND useridentity.invokedby IS NULL AND eventtype <> 'AwsServiceEvent'
ORDER BY eventtime DESC
LIMIT 200
