//! What a web ACL can be set to beside its rules.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_wafv2::types as sdk;
use serde::{Deserialize, Serialize};

use crate::resource::wafv2::shape::{Shape, Untranslatable, Word, shapes, words};

shapes! {
    ApplicationConfig = ApplicationConfig {
        attributes: Vec<ApplicationAttribute>,
    }

    ApplicationAttribute = ApplicationAttribute {
        name: String,
        values: Vec<String>,
    }

    DataProtectionConfig = DataProtectionConfig {
        data_protections: Vec<DataProtection>,
    }

    DataProtection = DataProtection {
        field: FieldToProtect,
        action: Word<sdk::DataProtectionAction>,
        #[serde(default)]
        exclude_rule_match_details: bool,
        #[serde(default)]
        exclude_rate_based_details: bool,
    }

    FieldToProtect = FieldToProtect {
        field_type: Word<sdk::FieldToProtectType>,
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        field_keys: BTreeSet<String>,
    }

    MonetizationConfig = MonetizationConfig {
        crypto_config: Option<CryptoConfig>,
        #[serde(default)]
        currency_mode: CurrencyMode,
    }

    CryptoConfig = CryptoConfig {
        payment_networks: Vec<PaymentNetwork>,
    }

    PaymentNetwork = PaymentNetwork {
        chain: Word<sdk::BlockchainChain>,
        wallet_address: String,
        prices: Vec<Price>,
    }

    Price = Price {
        amount: String,
        currency: Word<sdk::CryptoCurrency>,
    }

    /// How load balancers are protected. WAF does so without being asked.
    #[derive(Default)]
    OnSourceDDoSProtectionConfig = OnSourceDDoSProtectionConfig {
        #[serde(rename = "ALBLowReputationMode", default)]
        alb_low_reputation_mode: LowReputationMode,
    }

    RequestBodyConfig = RequestBodyAssociatedResourceTypeConfig {
        default_size_inspection_limit: Word<sdk::SizeInspectionLimit>,
    }
}

words! {
    CurrencyMode = CurrencyMode, "REAL";
    LowReputationMode = LowReputationMode, "ACTIVE_UNDER_DDOS";
}

/// How much of a request's body is looked at, by kind of protected resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AssociationConfig {
    #[serde(default)]
    pub request_body: BTreeMap<String, RequestBodyConfig>,
}

impl Shape for AssociationConfig {
    type Sdk = sdk::AssociationConfig;
    type Part = sdk::AssociationConfig;

    fn to_parts(&self) -> Result<Vec<sdk::AssociationConfig>, Untranslatable> {
        let mut builder = sdk::AssociationConfig::builder();
        for (protected, config) in &self.request_body {
            for part in config.to_parts()? {
                builder = builder.request_body(protected.as_str().into(), part);
            }
        }
        Ok(vec![builder.build()])
    }

    fn from_sdk(value: Option<sdk::AssociationConfig>) -> Result<Self, Untranslatable> {
        let request_body = value.and_then(|value| value.request_body).unwrap_or_default();
        let translated = request_body
            .into_iter()
            .map(|(protected, config)| Ok((protected.as_str().to_owned(), RequestBodyConfig::from_sdk(Some(config))?)));
        Ok(Self { request_body: translated.collect::<Result<_, Untranslatable>>()? })
    }
}
