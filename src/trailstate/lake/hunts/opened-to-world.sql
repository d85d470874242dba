-- Security groups that were opened to every address, and by whom
SELECT eventtime, json_extract_scalar(requestparameters, '$.groupId') AS security_group,
       coalesce(useridentity.arn, useridentity.accountid) AS who, sourceipaddress, recipientaccountid AS account,
       awsregion AS region, coalesce(errorcode, 'succeeded') AS result,
       json_extract(requestparameters, '$.ipPermissions') AS permissions
FROM cloudtrail
WHERE eventname LIKE '%SecurityGroup%'
  AND eventname IN ('AuthorizeSecurityGroupIngress', 'ModifySecurityGroupRules')
  AND regexp_like(requestparameters, '0\.0\.0\.0/0|::/0')
ORDER BY eventtime DESC
LIMIT 100
