//! `AWS::ApiGateway::DomainName`: a custom domain for public APIs. Found by name, which replaces it.
//!
//! The move between an edge-optimised and a regional endpoint is two calls: the new one is added with its certificate, and when
//! it is there, the old one is removed ("Patch Operations": both cannot be in one request). Which security policy, endpoint access
//! mode and address type a domain gets whose template is silent is not published: then whatever is live is right.

use std::collections::BTreeSet;

use aws_sdk_apigateway::operation::get_domain_name::GetDomainNameOutput as Shown;
use aws_sdk_apigateway::types::{self, DomainNameStatus, MutualTlsAuthenticationInput, PatchOperation};
use serde::{Deserialize, Serialize};

use super::patch::{self, add, remove, remove_item, replace};
use crate::aws::error::{AwsError, During, ErrorClass, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::{PhysicalId, REF};
use crate::resource::tags::Tags;
use crate::resource::{Attributes, Handler, Live, Made, Owner, attributes};

pub struct ApiGatewayDomainName;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct DomainName {
    pub domain_name: Option<String>,
    /// Of the edge-optimised endpoint; in us-east-1.
    pub certificate_arn: Option<String>,
    pub regional_certificate_arn: Option<String>,
    pub endpoint_access_mode: Option<String>,
    pub endpoint_configuration: EndpointConfiguration,
    pub mutual_tls_authentication: Option<MutualTls>,
    pub ownership_verification_certificate_arn: Option<String>,
    pub routing_mode: String,
    pub security_policy: Option<String>,
    pub tags: Tags,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct EndpointConfiguration {
    pub types: BTreeSet<String>,
    pub ip_address_type: Option<String>,
}

/// Callers show certificates that the truststore in S3 knows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct MutualTls {
    pub truststore_uri: Option<String>,
    pub truststore_version: Option<String>,
}

impl Default for DomainName {
    fn default() -> Self {
        Self {
            domain_name: None,
            certificate_arn: None,
            regional_certificate_arn: None,
            endpoint_access_mode: None,
            endpoint_configuration: EndpointConfiguration::default(),
            mutual_tls_authentication: None,
            ownership_verification_certificate_arn: None,
            routing_mode: "BASE_PATH_MAPPING_ONLY".to_owned(),
            security_policy: None,
            tags: Tags::default(),
        }
    }
}

impl Default for EndpointConfiguration {
    fn default() -> Self {
        Self { types: BTreeSet::from(["EDGE".to_owned()]), ip_address_type: None }
    }
}

const GET: &str = "apigateway.GetDomainName";
/// An edge-optimised domain may take 40 minutes ("How to create an edge-optimized custom domain name").
const LONG: Patience = Patience::minutes(3600);

impl Handler for ApiGatewayDomainName {
    const TYPE: &'static str = "AWS::ApiGateway::DomainName";
    const FOUND_BY: &'static [&'static str] = &["DomainName"];
    const TAGGED_AS: Option<&'static str> = Some("apigateway:domainnames");
    type Properties = DomainName;

    fn complete(domain: &mut DomainName) {
        let types = &mut domain.endpoint_configuration.types;
        if types.is_empty() {
            *types = EndpointConfiguration::default().types;
        }
        domain.mutual_tls_authentication.take_if(|it| it.truststore_uri.as_ref().is_none_or(String::is_empty));
    }

    fn predict(_scope: &Scope, domain: &DomainName) -> Attributes {
        attributes([(REF, domain.domain_name.clone())])
    }

    fn equate(live: &mut DomainName, wanted: &DomainName) {
        let silent = [
            (&mut live.security_policy, &wanted.security_policy),
            (&mut live.endpoint_access_mode, &wanted.endpoint_access_mode),
            (&mut live.endpoint_configuration.ip_address_type, &wanted.endpoint_configuration.ip_address_type),
        ];
        silent.into_iter().filter(|(_, wanted)| wanted.is_none()).for_each(|(live, _)| *live = None);
    }

    async fn find(cx: &Context, _owner: &Owner, domain: &DomainName) -> Result<Option<PhysicalId>, AwsError> {
        let name = domain.domain_name.as_deref().unwrap_or_default();
        Ok(show(cx, name).await?.map(|_| PhysicalId::from(name)))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<DomainName>>, AwsError> {
        let shown = show(cx, id.as_str()).await?;
        Ok(shown.map(|shown| Live::tagged(live(&shown), attributes_of(&shown))))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        domain: &DomainName,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let name = domain.domain_name.as_deref().unwrap_or_default();
        if left.is_none() {
            make(cx, domain).await?;
        }
        let shown = settle(cx, name, domain).await?;
        Ok(Made { id: PhysicalId::from(name), attributes: attributes_of(&shown) })
    }

    async fn update(
        cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        domain: &DomainName,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        if changes.touch_other_than("Tags") {
            settle(cx, id.as_str(), domain).await?;
        }
        if changes.touch("Tags") {
            patch::sync_tags(cx, id.as_str(), &format!("/domainnames/{id}"), &domain.tags).await?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let delete = cx.apigateway.delete_domain_name().domain_name(id.as_str());
        let delete = || async { delete.clone().send().await.during("apigateway.DeleteDomainName") };
        gone_is_fine(patch::write(cx, id.as_str(), delete).await)?;
        cx.until(GET, "the domain to be gone", Patience::seconds(120), || async {
            Ok(show(cx, id.as_str()).await?.is_none().then_some(()))
        })
        .await
    }

    async fn identify(cx: &Context, arn: &str) -> Result<Option<PhysicalId>, AwsError> {
        Ok(arn.strip_prefix(&patch::arn(&cx.scope, "/domainnames/")).map(PhysicalId::from))
    }
}

async fn show(cx: &Context, name: &str) -> Result<Option<Shown>, AwsError> {
    found(GET, cx.apigateway.get_domain_name().domain_name(name).send().await)
}

async fn make(cx: &Context, domain: &DomainName) -> Result<(), AwsError> {
    let endpoint = &domain.endpoint_configuration;
    let configuration = types::EndpointConfiguration::builder()
        .set_types(Some(endpoint.types.iter().map(|kind| kind.as_str().into()).collect()))
        .set_ip_address_type(endpoint.ip_address_type.as_deref().map(Into::into));
    let mutual_tls = domain.mutual_tls_authentication.clone().map(|it| {
        let input = MutualTlsAuthenticationInput::builder().set_truststore_uri(it.truststore_uri);
        input.set_truststore_version(it.truststore_version).build()
    });
    let create = cx
        .apigateway
        .create_domain_name()
        .set_domain_name(domain.domain_name.clone())
        .set_certificate_arn(domain.certificate_arn.clone())
        .set_regional_certificate_arn(domain.regional_certificate_arn.clone())
        .endpoint_configuration(configuration.build())
        .set_endpoint_access_mode(domain.endpoint_access_mode.as_deref().map(Into::into))
        .set_mutual_tls_authentication(mutual_tls)
        .set_ownership_verification_certificate_arn(domain.ownership_verification_certificate_arn.clone())
        .routing_mode(domain.routing_mode.as_str().into())
        .set_security_policy(domain.security_policy.as_deref().map(Into::into))
        .set_tags(Some(domain.tags.to_map()));
    let parent = domain.domain_name.as_deref().unwrap_or_default();
    let create = || async { create.clone().send().await.during("apigateway.CreateDomainName") };
    patch::write(cx, parent, create).await.map(drop)
}

/// Patches the domain until it is as wanted: first what comes and what changes, then what goes.
async fn settle(cx: &Context, name: &str, wanted: &DomainName) -> Result<Shown, AwsError> {
    for patches in [what_comes, what_goes] {
        let patches = patches(&live(&ready(cx, name).await?), wanted);
        if !patches.is_empty() {
            let update = cx.apigateway.update_domain_name().domain_name(name).set_patch_operations(Some(patches));
            let update = || async { update.clone().send().await.during(UPDATE) };
            patch::write(cx, name, update).await?;
        }
    }
    ready(cx, name).await
}

/// The calls that an update takes, tags aside, between properties in canonical form; of every wait the first look.
pub(crate) fn updating(live: &DomainName, wanted: &DomainName) -> Vec<&'static str> {
    let comes = (!what_comes(live, wanted).is_empty()).then_some(UPDATE);
    let goes = (!what_goes(live, wanted).is_empty()).then_some(UPDATE);
    [Some(GET), comes, Some(GET), goes, Some(GET)].into_iter().flatten().collect()
}

const UPDATE: &str = "apigateway.UpdateDomainName";

/// The domain once it is neither coming nor changing.
async fn ready(cx: &Context, name: &str) -> Result<Shown, AwsError> {
    cx.until(GET, "the domain", LONG, || async {
        let shown = cx.apigateway.get_domain_name().domain_name(name).send().await.during(GET)?;
        match &shown.domain_name_status {
            Some(DomainNameStatus::Pending | DomainNameStatus::Updating) => Ok(None),
            Some(
                status @ (DomainNameStatus::Failed
                | DomainNameStatus::PendingCertificateReimport
                | DomainNameStatus::PendingOwnershipVerification),
            ) => {
                let why = shown.domain_name_status_message.as_deref().unwrap_or_default();
                Err(AwsError::new(GET, ErrorClass::Invalid, format!("the domain is `{}`: {why}", status.as_str())))
            }
            _ => Ok(Some(shown)),
        }
    })
    .await
}

/// Added endpoints and certificates, and all that has another value.
fn what_comes(live: &DomainName, wanted: &DomainName) -> Vec<PatchOperation> {
    let (endpoint, wanted_endpoint) = (&live.endpoint_configuration, &wanted.endpoint_configuration);
    let added = wanted_endpoint.types.difference(&endpoint.types).map(|kind| add("/endpointConfiguration/types", kind));
    let certificates = certificates(live, wanted).into_iter().filter_map(|(path, live, wanted)| match (live, wanted) {
        (None, Some(wanted)) => Some(add(path, wanted)),
        (Some(live), Some(wanted)) if live != wanted => Some(replace(path, wanted)),
        _ => None,
    });
    let texts = [
        ("/securityPolicy", &live.security_policy, &wanted.security_policy),
        ("/endpointAccessMode", &live.endpoint_access_mode, &wanted.endpoint_access_mode),
        ("/endpointConfiguration/ipAddressType", &endpoint.ip_address_type, &wanted_endpoint.ip_address_type),
    ];
    let texts = texts.into_iter().filter(|(_, live, wanted)| live != wanted);
    let texts = texts.filter_map(|(path, _, wanted)| Some(replace(path, wanted.as_ref()?)));
    let routing = (live.routing_mode != wanted.routing_mode).then(|| replace("/routingMode", &wanted.routing_mode));
    let mutual_tls = mutual_tls(live.mutual_tls_authentication.as_ref(), wanted.mutual_tls_authentication.as_ref());
    added.chain(certificates).chain(texts).chain(routing).chain(mutual_tls).collect()
}

/// Endpoints and certificates that are no longer wanted.
fn what_goes(live: &DomainName, wanted: &DomainName) -> Vec<PatchOperation> {
    let (types, wanted_types) = (&live.endpoint_configuration.types, &wanted.endpoint_configuration.types);
    let types = types.difference(wanted_types).map(|kind| remove_item("/endpointConfiguration/types", kind));
    let is_gone = |(path, live, wanted): (&'static str, &Option<String>, &Option<String>)| {
        (live.is_some() && wanted.is_none()).then(|| remove(path))
    };
    types.chain(certificates(live, wanted).into_iter().filter_map(is_gone)).collect()
}

/// Each certificate under its path in a patch, live and wanted.
fn certificates<'a>(
    live: &'a DomainName,
    wanted: &'a DomainName,
) -> [(&'static str, &'a Option<String>, &'a Option<String>); 3] {
    [
        ("/certificateArn", &live.certificate_arn, &wanted.certificate_arn),
        ("/regionalCertificateArn", &live.regional_certificate_arn, &wanted.regional_certificate_arn),
        (
            "/ownershipVerificationCertificateArn",
            &live.ownership_verification_certificate_arn,
            &wanted.ownership_verification_certificate_arn,
        ),
    ]
}

/// An empty address switches it off ("How to turn on mutual TLS authentication for your REST APIs").
fn mutual_tls(live: Option<&MutualTls>, wanted: Option<&MutualTls>) -> Vec<PatchOperation> {
    const URI: &str = "/mutualTlsAuthentication/truststoreUri";
    const VERSION: &str = "/mutualTlsAuthentication/truststoreVersion";
    let Some(wanted) = wanted else { return live.map(|_| replace(URI, "")).into_iter().collect() };
    let of_live = |field: fn(&MutualTls) -> &Option<String>| live.and_then(|it| field(it).as_ref());
    let uri = wanted.truststore_uri.as_ref();
    let uri = uri.filter(|_| of_live(|it| &it.truststore_uri) != uri).map(|uri| replace(URI, uri));
    let version = match (of_live(|it| &it.truststore_version), &wanted.truststore_version) {
        (live, Some(wanted)) if live != Some(wanted) => Some(replace(VERSION, wanted)),
        (Some(_), None) => Some(remove(VERSION)),
        _ => None,
    };
    uri.into_iter().chain(version).collect()
}

fn live(shown: &Shown) -> DomainName {
    let endpoint = shown.endpoint_configuration.as_ref();
    let mut domain = DomainName {
        domain_name: shown.domain_name.clone(),
        certificate_arn: shown.certificate_arn.clone(),
        regional_certificate_arn: shown.regional_certificate_arn.clone(),
        endpoint_access_mode: shown.endpoint_access_mode.as_ref().map(|mode| mode.as_str().to_owned()),
        endpoint_configuration: EndpointConfiguration {
            types: endpoint.into_iter().flat_map(|it| it.types()).map(|kind| kind.as_str().to_owned()).collect(),
            ip_address_type: endpoint.and_then(|it| it.ip_address_type()).map(|kind| kind.as_str().to_owned()),
        },
        mutual_tls_authentication: shown.mutual_tls_authentication.as_ref().map(|it| MutualTls {
            truststore_uri: it.truststore_uri.clone(),
            truststore_version: it.truststore_version.clone(),
        }),
        ownership_verification_certificate_arn: shown.ownership_verification_certificate_arn.clone(),
        routing_mode: shown
            .routing_mode
            .as_ref()
            .map_or(DomainName::default().routing_mode, |it| it.as_str().to_owned()),
        security_policy: shown.security_policy.as_ref().map(|policy| policy.as_str().to_owned()),
        tags: shown.tags.clone().unwrap_or_default().into(),
    };
    ApiGatewayDomainName::complete(&mut domain);
    domain
}

fn attributes_of(shown: &Shown) -> Attributes {
    attributes([
        (REF, shown.domain_name.clone()),
        ("DistributionDomainName", shown.distribution_domain_name.clone()),
        ("DistributionHostedZoneId", shown.distribution_hosted_zone_id.clone()),
        ("DomainNameArn", shown.domain_name_arn.clone()),
        ("RegionalDomainName", shown.regional_domain_name.clone()),
        ("RegionalHostedZoneId", shown.regional_hosted_zone_id.clone()),
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn domain(properties: Value) -> DomainName {
        let mut domain = serde_json::from_value(properties).expect("a domain");
        ApiGatewayDomainName::complete(&mut domain);
        domain
    }

    #[test]
    fn an_endpoint_comes_with_its_certificate_before_the_other_one_goes() {
        let edge = domain(json!({"CertificateArn": "edge", "SecurityPolicy": "TLS_1_2"}));
        let regional =
            domain(json!({"RegionalCertificateArn": "here", "EndpointConfiguration": {"Types": ["REGIONAL"]}}));
        let comes = [add("/endpointConfiguration/types", "REGIONAL"), add("/regionalCertificateArn", "here")];
        assert_eq!(what_comes(&edge, &regional), comes);
        let goes = [remove_item("/endpointConfiguration/types", "EDGE"), remove("/certificateArn")];
        assert_eq!(what_goes(&edge, &regional), goes);
    }

    #[test]
    fn what_the_template_is_silent_of_is_as_it_is() {
        let wanted = domain(json!({"CertificateArn": "edge"}));
        let mut live = domain(json!({
            "CertificateArn": "edge",
            "SecurityPolicy": "TLS_1_2",
            "EndpointConfiguration": {"Types": ["EDGE"], "IpAddressType": "ipv4"},
        }));
        assert!(what_comes(&live, &wanted).is_empty() && what_goes(&live, &wanted).is_empty());
        ApiGatewayDomainName::equate(&mut live, &wanted);
        assert_eq!(live, wanted);
    }

    #[test]
    fn a_truststore_is_taken_away_by_an_empty_address() {
        let with = |version: Value| {
            domain(json!({"MutualTlsAuthentication": {"TruststoreUri": "s3://a/b", "TruststoreVersion": version}}))
        };
        let without = domain(json!({}));
        assert_eq!(what_comes(&with(json!("1")), &without), [replace("/mutualTlsAuthentication/truststoreUri", "")]);
        let newer = [replace("/mutualTlsAuthentication/truststoreVersion", "2")];
        assert_eq!(what_comes(&with(json!("1")), &with(json!("2"))), newer);
        let any = [remove("/mutualTlsAuthentication/truststoreVersion")];
        assert_eq!(what_comes(&with(json!("1")), &with(Value::Null)), any);
    }
}
