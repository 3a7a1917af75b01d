"""Parts of a page: `{% part "badge" label="…" %}`; with a body `{% component "card" %}…{% endcomponent %}`.

Both render templates/components/<name>.html with their arguments; a component also brings its body as `slot`
and each `{% fill "name" %}…{% endfill %}` under its own name. The partial sees nothing else of the page but
the request.
"""

from __future__ import annotations

from typing import Any

from django import template
from django.template.base import FilterExpression, Node, NodeList, Parser, Token
from django.template.context import Context
from django.template.engine import Engine
from django.utils.safestring import SafeString

register = template.Library()

_FILLS = "_component_fills"


class ComponentNode(Node):
    def __init__(self, name: str, arguments: dict[str, FilterExpression], body: NodeList) -> None:
        self.name = name
        self.arguments = arguments
        self.nodelist = body

    def render(self, context: Context) -> SafeString:
        fills: dict[str, SafeString] = {}
        with context.push(**{_FILLS: fills}):
            slot = self.nodelist.render(context)
        values: dict[str, Any] = {key: value.resolve(context) for key, value in self.arguments.items()}
        values |= {name: SafeString(content.strip()) for name, content in fills.items()}
        return _rendered(context, self.name, values | {"slot": slot})


class FillNode(Node):
    def __init__(self, name: str, body: NodeList) -> None:
        self.name = name
        self.nodelist = body

    def render(self, context: Context) -> SafeString:
        context[_FILLS][self.name] = self.nodelist.render(context)
        return SafeString("")


def _rendered(context: Context, name: str, values: dict[str, Any]) -> SafeString:
    partial = Engine.get_default().get_template(f"components/{name}.html")
    return partial.render(context.new(values | {"request": context.get("request")}))


@register.simple_tag(takes_context=True)
def part(context: Context, component_name: str, **arguments: Any) -> SafeString:
    return _rendered(context, component_name, arguments)


@register.tag
def component(parser: Parser, token: Token) -> ComponentNode:
    _, quoted, *bits = token.split_contents()
    arguments = {}
    for bit in bits:
        name, equals, value = bit.partition("=")
        if not equals:
            raise template.TemplateSyntaxError(f"component takes name=value, not {bit!r}")
        arguments[name] = parser.compile_filter(value)
    body = parser.parse(("endcomponent",))
    parser.delete_first_token()
    return ComponentNode(quoted.strip("\"'"), arguments, body)


@register.tag
def fill(parser: Parser, token: Token) -> FillNode:
    _, quoted = token.split_contents()
    body = parser.parse(("endfill",))
    parser.delete_first_token()
    return FillNode(quoted.strip("\"'"), body)
