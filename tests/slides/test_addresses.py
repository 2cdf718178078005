"""What of a page is not in the page."""

from __future__ import annotations

import pytest

from slides.looking import addresses

X = "http://127.0.0.1:9/x"


@pytest.mark.parametrize(
    "html",
    [
        f'<img src="{X}">',
        f"<IMG SRC = '{X}'>",
        f'<img srcset="{X} 2x, data:image/gif;base64,R0lG 1x">',
        f'<img data-src="{X}">',
        f'<video poster="{X}">',
        f'<link rel="stylesheet" href="{X}">',
        f'<script src="{X}"></script>',
        f'<object data="{X}"></object>',
        f"<iframe srcdoc=\"<img src='{X}'>\"></iframe>",
        f'<form action="{X}"></form>',
        f'<meta http-equiv="refresh" content="3; url={X}">',
        f'<section data-background-image="{X}"></section>',
        f'<svg><image href="{X}"/></svg>',
        f'<svg><use xlink:href="{X}"/></svg>',
        f'<svg><rect fill="url({X})"/></svg>',
        f'<p style="background: url(&quot;{X}&quot;)">',
        f"<style>p {{ background: no-repeat url('{X}') }}</style>",
        f'<style>@import "{X}";</style>',
        f"<style>@import url({X}) print;</style>",
        f"<svg><style>text {{ src: url( {X} ) }}</style></svg>",
    ],
)
def test_what_a_browser_would_fetch_is_found(html: str) -> None:
    assert addresses.fetched(f"<p>Words</p>{html}<p>more</p>") == [X]


@pytest.mark.parametrize("address", ["style.css", "/style.css", "//127.0.0.1/style.css"])
def test_a_file_beside_the_page_is_not_in_it(address: str) -> None:
    assert addresses.fetched(f'<link href="{address}">') == [address]


@pytest.mark.parametrize(
    "html",
    [
        f'<a href="{X}">a link is followed, not fetched</a>',
        f'<svg><a xlink:href="{X}"><text>here, too</text></a></svg>',
        f"<p>url({X}) in words</p>",
        f"<script>const url = '{X}'; // only a browser can tell</script>",
        f"<style>/* url({X}) in a comment */</style>",
        '<img src="data:image/gif;base64,R0lG, url(x)">',
        '<img srcset="data:image/gif;base64,R0lG 1x, data:image/gif;base64,R0lG 2x">',
        '<svg><use href="#spider"/><rect fill="url(#shade)"/></svg>',
        "<style>p { background: url(data:image/gif;base64,R0lG) }</style>",
        '<img src="">',
    ],
)
def test_what_is_in_the_page_is_left_alone(html: str) -> None:
    assert addresses.fetched(html) == []


def test_each_is_told_in_its_order_and_as_often_as_it_stands_there() -> None:
    html = '<img src="b.png"><style>p { background: url(a.png) }</style><img src="b.png">'
    assert addresses.fetched(html) == ["b.png", "a.png", "b.png"]
