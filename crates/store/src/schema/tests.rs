//! Every table is sealed or exempt, every column under its seal, every question of many rows answered by an index.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::*;
use crate::aggregate::ChildRow;
use crate::*;

/// A SELECT of each sealed table, as the crate uses it.
const SELECTS: &[(&SealedTable, &str)] = &[
    (&HEAD, head::ONE),
    (&KEYS, keys::ONE),
    (&KEY_MATERIALS, MaterialRow::OF_OWNER),
    (&KEY_POLICIES, KeyPolicyRow::OF_OWNER),
    (&ALIASES, AliasRow::OF_OWNER),
    (&TAGS, TagRow::OF_OWNER),
    (&ROTATIONS, RotationRow::OF_OWNER),
    (&MULTI_REGION_KEYS, MultiRegionRow::OF_OWNER),
    (&MATERIAL_ROTATIONS, MaterialRotationRow::OF_OWNER),
    (&MATERIAL_IMPORTS, MaterialImportRow::OF_OWNER),
    (&KEY_USAGES, key_usages::ONE),
    (&GRANTS, grants::ONE),
    (&ACCOUNTS, accounts::ONE),
    (&ACCESS_KEYS, AccessKeyRow::OF_OWNER),
    (&ACCOUNT_ALIASES, AccountAliasRow::OF_OWNER),
    (&ROLE_DELETIONS, RoleDeletionRow::OF_OWNER),
    (&OWNED_KEY_MATERIALS, OwnedKeyMaterialRow::OF_OWNER),
    (&IDENTITIES, identities::ONE),
    (&IDENTITY_POLICIES, IdentityPolicyRow::OF_OWNER),
    (&ATTACHMENTS, AttachmentRow::OF_OWNER),
    (&MEMBERSHIPS, MembershipRow::OF_OWNER),
    (&IDENTITY_TAGS, IdentityTagRow::OF_OWNER),
    (&USER_ACCESS_KEYS, UserAccessKeyRow::OF_OWNER),
    (&OIDC_CLIENT_IDS, ClientIdRow::OF_OWNER),
    (&OIDC_THUMBPRINTS, ThumbprintRow::OF_OWNER),
    (&CALLER_USAGES, caller_usages::ONE),
    (&AUDIT_OUTBOX, audit_outbox::OLDEST),
    (&CHANGES, changes::AFTER),
    (&JOURNAL_POSITIONS, journal_positions::ALL),
    (&METER_COUNTERS, meter_counters::OF_DAYS),
    (&METER_MONTHS, meter_counters::MONTHS),
    (&METERED_KEYS, metered_keys::ALL),
];

fn migrated() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    migrations::migrate(&mut connection).unwrap();
    connection
}

fn names(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    names.map(Result::unwrap).collect()
}

#[test]
fn every_table_is_sealed_or_exempt_with_a_reason() {
    let tables = names(&migrated(), "SELECT name FROM sqlite_schema WHERE type = 'table'");
    let sealed = SEALED_TABLES.iter().map(|table| table.name);
    let exempt = EXEMPT_TABLES.iter().map(|(name, _)| *name);
    let known: BTreeSet<_> = sealed.chain(exempt).collect();
    assert_eq!(tables.iter().map(String::as_str).collect::<BTreeSet<_>>(), known);
    assert_eq!(known.len(), SEALED_TABLES.len() + EXEMPT_TABLES.len(), "a table is both");
    assert!(EXEMPT_TABLES.iter().all(|(_, reason)| reason.len() > 40));
}

#[test]
fn every_column_of_a_sealed_table_is_under_its_seal() {
    let connection = migrated();
    let listed: Vec<_> = SELECTS.iter().map(|(table, _)| table.name).collect();
    let sealed: Vec<_> = SEALED_TABLES.iter().map(|table| table.name).collect();
    assert_eq!(listed, sealed);
    for (table, select) in SELECTS {
        let statement = connection.prepare(select).unwrap();
        let selected: Vec<_> = statement.column_names().collect();
        let (covered, seal) = selected.split_at(table.sealed_columns);
        assert!(
            seal == ["seal_version", "seal"] || seal == ["seal_version", "seal", "manifest"],
            "{}: {seal:?} stand outside the seal",
            table.name
        );
        let sql = format!("SELECT name FROM pragma_table_info('{}')", table.name);
        let all = names(&connection, &sql);
        assert_eq!(all, selected, "{}: a column is not selected, so not sealed", table.name);
        let sql = format!(
            "SELECT name FROM pragma_table_info('{}') WHERE pk > 0 ORDER BY pk",
            table.name
        );
        assert_eq!(names(&connection, &sql), covered[..table.identity_columns]);
    }
}

/// The plan of a query, as SQLite tells it.
fn plan(connection: &Connection, sql: &str) -> String {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let limits = vec![1; statement.parameter_count()];
    let steps = statement
        .query_map(rusqlite::params_from_iter(limits), |row| row.get::<_, String>("detail"))
        .unwrap();
    steps.map(Result::unwrap).collect::<Vec<_>>().join("; ")
}

#[test]
fn what_is_asked_of_many_rows_is_found_by_an_index() {
    let connection = migrated();
    for (sql, index) in [
        (grants::OF_GRANTEE, "grants USING INDEX grants_by_grantee (grantee=? AND region=?"),
        (grants::PAGE_OF_GRANTEE, "grants USING INDEX grants_by_grantee (grantee=? AND regio"),
        (role_deletions::GRANTED, "grants USING COVERING INDEX grants_by_grantee (grantee=?)"),
        (grants::OF_PRINCIPAL, "grants USING INDEX grants_by_grantee (grantee=?)"),
        (grants::OF_PRINCIPAL, "grants USING INDEX grants_by_retiring (retiring=?)"),
        (grants::NAMED, "grants USING INDEX grants_by_name (region=? AND key_id=? AND name=?"),
        (grants::RETIRABLE_PAGE, "grants USING INDEX grants_by_retiring (retiring=? AND reg"),
        (grants::PAGE, "grants USING PRIMARY KEY (region=? AND key_id=? AND grant_id>?"),
        (grants::COUNT, "grants USING PRIMARY KEY (region=? AND key_id=?)"),
        (keys::DUE, "keys USING COVERING INDEX keys_by_deletion_date"),
        (keys::IN_TRANSIT, "keys USING COVERING INDEX keys_in_transit"),
        (rotations::DUE, "rotations USING COVERING INDEX rotations_by_next_rotation"),
        (material_imports::DUE, "material_imports USING COVERING INDEX material_imports_by"),
        (owned_key_materials::WRAPPED_BEFORE_OF_ROOTS, "COVERING INDEX access_keys_by_wrapping (d"),
        (owned_key_materials::WRAPPED_BEFORE_OF_USERS, "COVERING INDEX user_access_keys_by_wrap"),
        (meter_counters::OF_DAYS, "meter_counters USING PRIMARY KEY (day>? AND day<?)"),
        (metered_keys::OF_ID, "metered_keys USING INDEX metered_keys_by_id (key_id=?)"),
        (identities::HAS_MEMBERS, "memberships USING COVERING INDEX memberships_by_group"),
        (identities::IS_ATTACHED, "attachments USING COVERING INDEX attachments_by_policy"),
        (identities::IS_BOUNDARY, "identities USING COVERING INDEX identities_by_boundary"),
    ] {
        let plan = plan(&connection, sql);
        assert!(plan.contains(index), "{sql}: {plan}");
    }
}
