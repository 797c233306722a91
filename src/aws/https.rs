//! The way out to AWS: HTTPS with the root certificates of this machine, through the proxy that its environment names.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// One client for all services, which takes the root certificates in at the first call. Left to itself, the SDK makes a client
/// for each service, and takes them in twice for each. All else is as in the SDK's own: `default_https_client` of
/// aws-smithy-runtime, which is not public.
pub fn client() -> SharedHttpClient {
    let connectors = Mutex::new(HashMap::<_, SharedHttpConnector>::new());
    http_client_fn(move |settings, _| {
        let timeouts = (settings.connect_timeout(), settings.read_timeout());
        let mut connectors = connectors.lock().unwrap_or_else(PoisonError::into_inner);
        connectors.entry(timeouts).or_insert_with(|| SharedHttpConnector::new(connect(settings.clone()))).clone()
    })
}

/// For what is asked beside the services: connections of its own, the same way. It signs nothing and repeats nothing.
pub fn connector(read_timeout: Duration) -> Connector {
    connect(HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(read_timeout).build())
}

fn connect(settings: HttpConnectorSettings) -> Connector {
    Connector::builder()
        .connector_settings(settings)
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build()
}
