-- SPDX-License-Identifier: Apache-2.0
-- Objects of the extension without a comment.
WITH member AS (
  SELECT d.classid, d.objid
  FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid
  WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'modelhop'
)
SELECT 'no comment: ' || o.type || ' ' || o.identity
FROM member, pg_identify_object(member.classid, member.objid, 0) AS o
WHERE obj_description(member.objid, member.classid::regclass::name) IS NULL
  -- Row types and array types of tables and views are told by their relation's comment.
  AND NOT (member.classid = 'pg_type'::regclass
           AND EXISTS (SELECT FROM pg_type AS t LEFT JOIN pg_class AS c ON c.oid = t.typrelid
                       WHERE t.oid = member.objid AND (t.typcategory = 'A' OR c.relkind IN ('r', 'v', 'm'))))
ORDER BY 1;
