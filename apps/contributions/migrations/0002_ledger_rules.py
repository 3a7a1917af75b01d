"""What the database itself holds of consents and of the ledger, whoever writes to it."""

from django.db import migrations

# `voiceflow.may_change` is set by what empties a test's database, and by nothing else.
_LASTING = """
CREATE FUNCTION contributions_is_lasting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('voiceflow.may_change', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% rows are never changed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""
_SUMS = """
CREATE FUNCTION contributions_posting_sums_to_zero() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT COALESCE(sum(cents), 0) FROM contributions_entry WHERE posting_id = NEW.posting_id) <> 0 THEN
        RAISE EXCEPTION 'posting % does not sum to zero', NEW.posting_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$
"""
_TABLES = (
    "contributions_entry",
    "contributions_posting",
    "contributions_consentrecord",
    "contributions_consenttext",
)


class Migration(migrations.Migration):
    dependencies = [("contributions", "0001_initial")]

    operations = [
        migrations.RunSQL(_LASTING, "DROP FUNCTION contributions_is_lasting"),
        migrations.RunSQL(_SUMS, "DROP FUNCTION contributions_posting_sums_to_zero"),
        migrations.RunSQL(
            "CREATE CONSTRAINT TRIGGER posting_sums_to_zero AFTER INSERT ON contributions_entry "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION contributions_posting_sums_to_zero()",
            "DROP TRIGGER posting_sums_to_zero ON contributions_entry",
        ),
        *(
            migrations.RunSQL(
                f"CREATE TRIGGER is_lasting BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION contributions_is_lasting()",
                f"DROP TRIGGER is_lasting ON {table}",
            )
            for table in _TABLES
        ),
    ]
