"""What lies around an API: documents that it is made from, custom domains, client certificates and VPC links."""

import io
import time

import yaml
from localstack.services.apigateway.helpers import get_apigateway_store, get_moto_rest_api
from localstack.services.apigateway.models import apigateway_stores

from gaps import answers, page, refuse

# Every distribution of CloudFront is in this zone ("Amazon API Gateway endpoints and quotas").
CLOUDFRONT_ZONE = "Z2FDTNDATAQYW2"
REGIONAL_ZONE = "Z1UJRXOUMOOFQ8"
# path of a domain's patch -> member
DOMAIN_TEXTS = {
    "/certificateArn": "certificateArn",
    "/certificateName": "certificateName",
    "/endpointAccessMode": "endpointAccessMode",
    "/ownershipVerificationCertificateArn": "ownershipVerificationCertificateArn",
    "/regionalCertificateArn": "regionalCertificateArn",
    "/regionalCertificateName": "regionalCertificateName",
    "/routingMode": "routingMode",
    "/securityPolicy": "securityPolicy",
}
# type of an endpoint -> the certificate that it needs
CERTIFICATES = {"EDGE": "certificateArn", "REGIONAL": "regionalCertificateArn"}


def tags_of(account, region, kind, id):
    """The tags of one of these as a mapping that can be changed, or `None`."""
    owner = _things(account, region)[kind].get(id)
    if owner is None:
        return None
    if owner.get("tags") is None:
        owner["tags"] = {}
    return owner["tags"]


def arns(account, region):
    for kind, things in _things(account, region).items():
        for id in things:
            yield f"arn:aws:apigateway:{region}::/{kind}/{id}"


def _things(account, region):
    store = apigateway_stores[account][region]
    return {
        "clientcertificates": store.client_certificates,
        "domainnames": store.domain_names,
        "vpclinks": store.vpc_links,
    }


@answers("apigateway", "PutRestApi")
def put_rest_api(context, request, ask):
    """LocalStack leaves out whom an integration acts as."""
    body = request["body"].read()
    answer = ask({**request, "body": io.BytesIO(body)})
    resources = get_moto_rest_api(context, request["restApiId"]).resources.values()
    for path, methods in (yaml.safe_load(body).get("paths") or {}).items():
        for verb, method in methods.items():
            integration = method.get("x-amazon-apigateway-integration") if isinstance(method, dict) else None
            for resource in resources:
                made = resource.resource_methods.get(verb.upper()) if resource.get_path().endswith(path) else None
                if made and made.method_integration and integration:
                    made.method_integration.credentials = integration.get("credentials")
    return answer


@answers("apigateway", "CreateVpcLink")
def create_vpc_link(context, request, ask):
    answer = ask()
    tags = dict(request.get("tags") or {})
    get_apigateway_store(context).vpc_links[answer["id"]]["tags"] = tags
    return {**answer, "tags": tags}


@answers("apigateway", "UpdateClientCertificate", "UpdateVpcLink")
def update(context, request, ask):
    """A patch without a value clears a text."""
    for patch in request.get("patchOperations", []):
        patch.setdefault("value", "")
    return ask()


@answers("apigateway", "DeleteClientCertificate")
def delete_client_certificate(context, request, ask):
    if request["clientCertificateId"] not in get_apigateway_store(context).client_certificates:
        refuse("NotFoundException", "Invalid Client Certificate identifier specified", 404)
    return ask()


@answers("apigateway", "CreateDomainName")
def create_domain_name(context, request, ask):
    domains = get_apigateway_store(context).domain_names
    name = request["domainName"]
    if name in domains:
        refuse("ConflictException", "The domain name you provided already exists.", 409)
    domain = {key: value for key, value in request.items() if value is not None}
    endpoint = dict(request.get("endpointConfiguration") or {})
    endpoint["types"] = list(endpoint.get("types") or ["EDGE"])
    domain |= {
        "endpointConfiguration": endpoint,
        "domainNameArn": f"arn:aws:apigateway:{context.region}::/domainnames/{name}",
        "domainNameStatus": "AVAILABLE",
        "tags": dict(request.get("tags") or {}),
    }
    domain.setdefault("routingMode", "BASE_PATH_MAPPING_ONLY")
    domain.setdefault("securityPolicy", "TLS_1_2")
    _complete(context, domain)
    domains[name] = domain
    return domain


@answers("apigateway", "GetDomainName")
def get_domain_name(context, request, ask):
    return _domain(context, request)


@answers("apigateway", "GetDomainNames")
def get_domain_names(context, request, ask):
    domains = list(get_apigateway_store(context).domain_names.values())
    domains, position = page(domains, request.get("position"), request.get("limit") or 25)
    return {"items": domains, "position": position}


@answers("apigateway", "UpdateDomainName")
def update_domain_name(context, request, ask):
    """Wholly ours: LocalStack has none."""
    domain = _domain(context, request)
    patches = request.get("patchOperations", [])
    moves = {patch["op"] for patch in patches if patch["path"] == "/endpointConfiguration/types"}
    if {"add", "remove"} <= moves:
        refuse("BadRequestException", "Cannot add and remove an endpoint type in the same request")
    changed = {**domain, "endpointConfiguration": dict(domain["endpointConfiguration"])}
    for patch in patches:
        _patch(changed, patch)
    _complete(context, changed)
    domain.clear()
    domain.update(changed)
    return domain


def _domain(context, request):
    domain = get_apigateway_store(context).domain_names.get(request["domainName"])
    if domain is None:
        refuse("NotFoundException", "Invalid domain name identifier specified", 404)
    return domain


def _patch(domain, patch):
    path, value = patch["path"], patch.get("value")
    endpoint = domain["endpointConfiguration"]
    if path == "/endpointConfiguration/types":
        others = [kind for kind in endpoint["types"] if kind != value]
        endpoint["types"] = others if patch["op"] == "remove" else [*others, value]
    elif path == "/endpointConfiguration/ipAddressType":
        endpoint["ipAddressType"] = value
    elif path == "/mutualTlsAuthentication/truststoreUri" and not value:
        domain.pop("mutualTlsAuthentication", None)
    elif path.startswith("/mutualTlsAuthentication/"):
        trust = dict(domain.get("mutualTlsAuthentication") or {})
        member = path.rpartition("/")[2]
        domain["mutualTlsAuthentication"] = trust | {member: value}
        if patch["op"] == "remove":
            domain["mutualTlsAuthentication"].pop(member)
    elif path not in DOMAIN_TEXTS:
        refuse("BadRequestException", f"Invalid patch path {path}")
    elif patch["op"] == "remove":
        domain.pop(DOMAIN_TEXTS[path], None)
    else:
        domain[DOMAIN_TEXTS[path]] = value


def _complete(context, domain):
    """Refuses what does not go together, and gives each endpoint its address."""
    types = domain["endpointConfiguration"]["types"]
    if not types:
        refuse("BadRequestException", "A domain name needs an endpoint type")
    for kind in types:
        if not domain.get(CERTIFICATES[kind]):
            refuse("BadRequestException", f"A certificate was not provided for the endpoint type {kind}")
    if domain.get("mutualTlsAuthentication") and types != ["REGIONAL"]:
        refuse("BadRequestException", "Mutual TLS authentication is supported for regional domain names only")
    domain["certificateUploadDate"] = domain.get("certificateUploadDate") or int(time.time())
    known = {
        "EDGE": {
            "distributionDomainName": "d111111abcdef8.cloudfront.net",
            "distributionHostedZoneId": CLOUDFRONT_ZONE,
        },
        "REGIONAL": {
            "regionalDomainName": f"d-abcdef1234.execute-api.{context.region}.amazonaws.com",
            "regionalHostedZoneId": REGIONAL_ZONE,
        },
    }
    for kind, addresses in known.items():
        for member, address in addresses.items():
            if kind in types:
                domain[member] = address
            else:
                domain.pop(member, None)
