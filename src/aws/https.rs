//! The one way out to AWS: HTTPS with the root certificates of this machine, through the proxy that its environment names.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};

/// One client for all services. Left to itself, the SDK makes one for each of them, and reads every root certificate anew
/// for each.
pub fn client() -> SharedHttpClient {
    let connectors = Mutex::new(HashMap::<_, SharedHttpConnector>::new());
    http_client_fn(move |settings, _| {
        let timeouts = (settings.connect_timeout(), settings.read_timeout());
        let mut connectors = connectors.lock().unwrap_or_else(PoisonError::into_inner);
        connectors.entry(timeouts).or_insert_with(|| SharedHttpConnector::new(connector(settings))).clone()
    })
}

/// For what no service's client asks: it signs nothing and repeats nothing.
pub fn connector(settings: &HttpConnectorSettings) -> Connector {
    Connector::builder()
        .connector_settings(settings.clone())
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build()
}
