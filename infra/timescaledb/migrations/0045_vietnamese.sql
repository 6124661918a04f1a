-- The order of the Vietnamese alphabet, with numbers as numbers, for lists that SQL sorts by names: their syllables are
-- compared one by one, as schemas.text.collation does. A server built without ICU keeps the order of the code points.
DO $$
BEGIN
    CREATE COLLATION vietnamese (provider = icu, locale = 'vi-VN-u-kn-true');
EXCEPTION WHEN feature_not_supported THEN
    CREATE COLLATION vietnamese FROM "C";
END
$$;
