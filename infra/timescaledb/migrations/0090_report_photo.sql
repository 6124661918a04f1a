-- Where a photo of a report lies, as the program that sent the report says: seen by who is logged in and sees the case.
CREATE TABLE report_photo (
    report  text NOT NULL,
    address text NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (report, address)
);

-- Takes away those of reports that are forgotten; returns how many.
CREATE FUNCTION forget_photos() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    DELETE FROM report_photo p USING horizon h
    WHERE p.at < h.time AND NOT EXISTS (SELECT FROM entity e WHERE e.kind = 'report' AND e.id = p.report);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;
REVOKE EXECUTE ON FUNCTION forget_photos FROM PUBLIC;
