//! Rule groups that AWS or others manage, and what those of AWS let one set.

#![expect(deprecated, reason = "templates may still set what the SDK has deprecated")]

use std::collections::BTreeSet;

use aws_sdk_wafv2::types as sdk;

use crate::resource::wafv2::action::RuleAction;
use crate::resource::wafv2::shape::{Word, kinds, shapes, words};
use crate::resource::wafv2::statement::Statement;

shapes! {
    ManagedRuleGroupStatement = ManagedRuleGroupStatement {
        vendor_name: String,
        name: String,
        /// `None` follows the vendor's default, and is not given back by AWS either.
        version: Option<String>,
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        excluded_rules: BTreeSet<ExcludedRule>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        managed_rule_group_configs: Vec<ManagedRuleGroupConfig>,
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        rule_action_overrides: BTreeSet<RuleActionOverride>,
        scope_down_statement: Option<Box<Statement>>,
    }

    RuleGroupReferenceStatement = RuleGroupReferenceStatement {
        arn: String,
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        excluded_rules: BTreeSet<ExcludedRule>,
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        rule_action_overrides: BTreeSet<RuleActionOverride>,
    }

    ExcludedRule = ExcludedRule {
        name: String,
    }

    RuleActionOverride = RuleActionOverride {
        name: String,
        action_to_use: RuleAction,
    }

    ManagedRuleGroupConfig = ManagedRuleGroupConfig {
        #[serde(rename = "AWSManagedRulesACFPRuleSet")]
        aws_managed_rules_acfp_rule_set: Option<AcfpRuleSet>,
        #[serde(rename = "AWSManagedRulesATPRuleSet")]
        aws_managed_rules_atp_rule_set: Option<AtpRuleSet>,
        #[serde(rename = "AWSManagedRulesAntiDDoSRuleSet")]
        aws_managed_rules_anti_d_do_s_rule_set: Option<AntiDDoSRuleSet>,
        #[serde(rename = "AWSManagedRulesBotControlRuleSet")]
        aws_managed_rules_bot_control_rule_set: Option<BotControlRuleSet>,
        login_path: Option<String>,
        password_field: Option<PasswordField>,
        payload_type: Option<Word<sdk::PayloadType>>,
        username_field: Option<UsernameField>,
    }

    /// Against the creation of fake accounts.
    AcfpRuleSet = AwsManagedRulesAcfpRuleSet {
        creation_path: String,
        registration_page_path: String,
        request_inspection: RequestInspectionAcfp,
        response_inspection: Option<ResponseInspection>,
        #[serde(default)]
        enable_regex_in_path: bool,
    }

    /// Against the takeover of accounts.
    AtpRuleSet = AwsManagedRulesAtpRuleSet {
        login_path: String,
        request_inspection: Option<RequestInspection>,
        response_inspection: Option<ResponseInspection>,
        #[serde(default)]
        enable_regex_in_path: bool,
    }

    AntiDDoSRuleSet = AwsManagedRulesAntiDDoSRuleSet {
        client_side_action_config: ClientSideActionConfig,
        #[serde(default)]
        sensitivity_to_block: SensitivityToBlock,
    }

    BotControlRuleSet = AwsManagedRulesBotControlRuleSet {
        inspection_level: Word<sdk::InspectionLevel>,
        #[serde(default = "on")]
        enable_machine_learning: bool,
    }

    ClientSideActionConfig = ClientSideActionConfig {
        challenge: ClientSideAction,
    }

    ClientSideAction = ClientSideAction {
        usage_of_action: Word<sdk::UsageOfAction>,
        #[serde(default)]
        sensitivity: SensitivityToChallenge,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        exempt_uri_regular_expressions: Vec<Regex>,
    }

    Regex = Regex {
        regex_string: Option<String>,
    }

    RequestInspection = RequestInspection {
        payload_type: Word<sdk::PayloadType>,
        username_field: UsernameField,
        password_field: PasswordField,
    }

    RequestInspectionAcfp = RequestInspectionAcfp {
        payload_type: Word<sdk::PayloadType>,
        username_field: Option<UsernameField>,
        password_field: Option<PasswordField>,
        email_field: Option<EmailField>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        phone_number_fields: Vec<PhoneNumberField>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        address_fields: Vec<AddressField>,
    }

    AddressField = AddressField { identifier: String }
    EmailField = EmailField { identifier: String }
    PasswordField = PasswordField { identifier: String }
    PhoneNumberField = PhoneNumberField { identifier: String }
    UsernameField = UsernameField { identifier: String }

    ResponseInspectionBodyContains = ResponseInspectionBodyContains {
        success_strings: Vec<String>,
        failure_strings: Vec<String>,
    }

    ResponseInspectionHeader = ResponseInspectionHeader {
        name: String,
        success_values: Vec<String>,
        failure_values: Vec<String>,
    }

    ResponseInspectionJson = ResponseInspectionJson {
        identifier: String,
        success_values: Vec<String>,
        failure_values: Vec<String>,
    }

    ResponseInspectionStatusCode = ResponseInspectionStatusCode {
        success_codes: Vec<i32>,
        failure_codes: Vec<i32>,
    }
}

kinds! {
    ResponseInspection = ResponseInspection {
        BodyContains(ResponseInspectionBodyContains): body_contains,
        Header(ResponseInspectionHeader): header,
        Json(ResponseInspectionJson): json,
        StatusCode(ResponseInspectionStatusCode): status_code,
    }
}

words! {
    SensitivityToBlock = SensitivityToAct, "LOW";
    SensitivityToChallenge = SensitivityToAct, "HIGH";
}

fn on() -> bool {
    true
}
