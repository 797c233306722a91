use super::{APPLY, DESTROY, Scene};

/// A table with these further properties.
fn table(further: &str) -> String {
    format!(
        "
Resources:
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      KeySchema: [{{AttributeName: id, KeyType: HASH}}]
{further}"
    )
}

/// A table whose key is all that it has.
fn plain(further: &str) -> String {
    table(&format!("      AttributeDefinitions: [{{AttributeName: id, AttributeType: S}}]\n{further}"))
}

/// A table with these indexes.
fn indexed(names: &[&str]) -> String {
    let definition = |name: &&str| format!("        - {{AttributeName: {name}, AttributeType: S}}\n");
    let index = |name: &&str| {
        format!(
            "        - IndexName: {name}\n          KeySchema: [{{AttributeName: {name}, KeyType: HASH}}]\n          \
             Projection: {{ProjectionType: ALL}}\n"
        )
    };
    let definitions: String = ["id"].iter().chain(names).map(definition).collect();
    let indexes: String = names.iter().map(index).collect();
    table(&format!("      AttributeDefinitions:\n{definitions}      GlobalSecondaryIndexes:\n{indexes}"))
}

const RECOVERY: &str = "      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}\n";

#[test]
fn a_table_and_its_indexes_are_made_before_anything_else_is_asked_of_them() {
    let beside = format!("{RECOVERY}      TimeToLiveSpecification: {{AttributeName: gone_at, Enabled: true}}\n");
    let scene = Scene::new("table-creating", 0.2, &format!("{}{beside}", indexed(&["user"])));
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_table_that_is_still_being_made_is_deleted_as_soon_as_that_is_possible() {
    let scene = Scene::with_fault("table-creating", 1.0, &plain(""), "dynamodb.CreateTable#1:kill-after");
    scene.is_killed(APPLY);
    scene.outlasts(DESTROY);
    scene.account.census().assert_empty();
}

#[test]
fn the_steps_of_a_tables_change_wait_for_each_other() {
    let scene = Scene::new("table-updating", 0.3, &plain(""));
    scene.succeeds(APPLY);
    let further = "      TableClass: STANDARD_INFREQUENT_ACCESS\n      \
                   StreamSpecification: {StreamViewType: NEW_IMAGE}\n";
    scene.paystack.write("template.yaml", &plain(further));
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_table_is_gone_when_it_is_no_longer_described() {
    let scene = Scene::new("table-deleting", 0.5, &plain(RECOVERY));
    scene.succeeds(APPLY);
    scene.outlasts(DESTROY);
    scene.account.census().assert_empty();
}

#[test]
fn a_table_is_made_anew_when_the_old_one_is_gone() {
    let scene = Scene::with_fault("table-deleting", 1.0, &plain(RECOVERY), "dynamodb.DeleteTable#1:kill-after");
    scene.succeeds(APPLY);
    scene.is_killed(DESTROY);
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn point_in_time_recovery_waits_until_it_can_be_had() {
    let scene = Scene::new("backups-not-yet-available", 1.0, &plain(RECOVERY));
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_table_is_changed_one_thing_at_a_time() {
    let scene = Scene::new("one-change-at-a-time", 1.0, &plain(""));
    scene.succeeds(APPLY);
    let further = "      TableClass: STANDARD_INFREQUENT_ACCESS\n      DeletionProtectionEnabled: true\n      \
                   SSESpecification: {SSEEnabled: true}\n      StreamSpecification: {StreamViewType: NEW_IMAGE}\n";
    let capacity = "ProvisionedThroughput: {ReadCapacityUnits: 2, WriteCapacityUnits: 2}";
    scene.paystack.write("template.yaml", &plain(further).replace("BillingMode: PAY_PER_REQUEST", capacity));
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn capacity_that_stays_is_not_set_again() {
    let capacity =
        |units: u32| format!("ProvisionedThroughput: {{ReadCapacityUnits: {units}, WriteCapacityUnits: {units}}}");
    let provisioned = |table: u32, index: u32| {
        let projection = "Projection: {ProjectionType: ALL}";
        let with_capacity = format!("{projection}\n          {}", capacity(index));
        indexed(&["user"]).replace("BillingMode: PAY_PER_REQUEST", &capacity(table)).replace(projection, &with_capacity)
    };
    let scene = Scene::new("capacity-must-change", 1.0, &provisioned(1, 1));
    scene.succeeds(APPLY);
    for (table, index) in [(1, 2), (2, 2)] {
        scene.paystack.write("template.yaml", &provisioned(table, index));
        scene.outlasts(APPLY);
        scene.is_settled();
    }
    scene.leaves_nothing();
}

#[test]
fn a_second_write_of_tags_waits_for_the_first() {
    let scene = Scene::new("tags-locked", 5.0, &plain("      Tags: [{Key: Owner, Value: me}]\n"));
    scene.succeeds(APPLY);
    scene.paystack.write("template.yaml", &plain("      Tags: [{Key: Team, Value: us}]\n"));
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.outlasts(DESTROY);
    scene.account.census().assert_empty();
}

#[test]
fn tags_are_written_when_they_show() {
    let scene = Scene::new("tags-stale", 1.5, &plain("      Tags: [{Key: Owner, Value: me}]\n"));
    scene.succeeds(APPLY);
    scene.paystack.write("template.yaml", &plain("      Tags: [{Key: Owner, Value: you}]\n"));
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn time_to_live_waits_for_its_turn() {
    let expiring =
        |name: &str| plain(&format!("      TimeToLiveSpecification: {{AttributeName: {name}, Enabled: true}}\n"));
    let scene = Scene::new("time-to-live-cooling-down", 0.002, &expiring("gone_at"));
    scene.succeeds(APPLY);
    scene.paystack.write("template.yaml", &expiring("expires_at"));
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn indexes_are_filled_one_after_the_other_though_the_table_is_active() {
    let scene = Scene::new("index-backfilling", 0.006, &plain(""));
    scene.succeeds(APPLY);
    scene.paystack.write("template.yaml", &indexed(&["user", "device"]));
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}

#[test]
fn a_table_whose_index_is_being_filled_is_deleted_as_soon_as_that_is_possible() {
    let scene = Scene::with_fault("index-backfilling", 0.01, &plain(""), "dynamodb.UpdateTable#1:kill-after");
    scene.succeeds(APPLY);
    scene.paystack.write("template.yaml", &indexed(&["user"]));
    scene.is_killed(APPLY);
    scene.outlasts(DESTROY);
    scene.account.census().assert_empty();
}

#[test]
fn a_table_whose_key_changes_is_at_rest_when_it_has_changed() {
    let scene = Scene::new("encryption-updating", 0.1, &plain(""));
    scene.succeeds(APPLY);
    scene.paystack.write("template.yaml", &plain("      SSESpecification: {SSEEnabled: true}\n"));
    scene.outlasts(APPLY);
    scene.is_settled();
    scene.leaves_nothing();
}
