"""What LocalStack's host mode lacks, or answers otherwise than AWS does.

Every operation of a service goes through LocalStack's table from its name to a function. `answers` puts a function of
ours into that table; it is handed the request and `ask`, which asks LocalStack's own function, with a changed request
where it is given one:

    @answers("sns", "ListSubscriptions")
    def list_subscriptions(context, request, ask):
        return corrected(ask())

`provide` adds a service that the community edition does not have at all.
"""

from functools import partial

from localstack.aws.api import CommonServiceException
from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.services.plugins import SERVICE_PLUGINS, Service
from localstack.utils import bootstrap

_answers = {}


def answers(service, *operations):
    """Registers the decorated function as what answers these operations of a service."""

    def register(function):
        for operation in operations:
            _answers.setdefault(service, {})[operation] = function
        return function

    return register


def install():
    """Makes every service that is loaded from now on use the registered functions."""
    build = Skeleton.__init__

    def build_and_fill(self, service, implementation):
        build(self, service, implementation)
        for operation, function in _answers.get(service.service_name, {}).items():
            self.dispatch_table[operation] = _with_ask(function, self.dispatch_table.get(operation))

    Skeleton.__init__ = build_and_fill


def provide(service, otherwise):
    """Adds a service; operations with no function of ours are answered by `otherwise`."""
    model = load_service(service)
    table = {operation: otherwise for operation in model.operation_names}
    SERVICE_PLUGINS.api_provider_specs[service] = ["default"]
    bootstrap.get_enabled_apis.cache_clear()
    SERVICE_PLUGINS.add_service(Service(service, skeleton=Skeleton(model, table)))


def _with_ask(function, localstack):
    def answer(context, request):
        return function(context, request, partial(ask, context, request))

    def ask(context, asked, changed=None):
        return localstack(context, changed or asked)

    return answer


def refuse(code, message, status=400):
    """Answers with an error of AWS."""
    raise CommonServiceException(code, message, status_code=status, sender_fault=status < 500)


def page(items, token, limit):
    """One page of a list, and the token of the next one or `None`."""
    start = int(token or 0)
    end = start + limit
    return items[start:end], str(end) if end < len(items) else None


def as_list(tags):
    """Tags as most services write them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def as_map(tags):
    """Tags as a mapping, from how most services write them."""
    return {tag["Key"]: tag["Value"] for tag in tags or []}
