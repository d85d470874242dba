-- Sign-ins to the console without a second factor
SELECT eventtime, coalesce(useridentity.username, useridentity.arn, useridentity.type) AS who,
       recipientaccountid AS account, sourceipaddress, json_extract_scalar(responseelements, '$.ConsoleLogin') AS result
FROM cloudtrail
WHERE eventname = 'ConsoleLogin'
  AND json_extract_scalar(additionaleventdata, '$.MFAUsed') <> 'Yes'
  AND useridentity.type IN ('IAMUser', 'Root')
ORDER BY eventtime DESC
LIMIT 200
