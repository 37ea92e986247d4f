"""How the back office looks; settings.UNFOLD."""

from django.templatetags.static import static
from django.urls import reverse_lazy

UNFOLD = {
    "SITE_TITLE": "Tieout",
    "SITE_HEADER": "Tieout",
    "SITE_SUBHEADER": "Back office",
    "SHOW_VIEW_ON_SITE": False,
    "SITE_SYMBOL": "balance",
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda _request: static("tieout/icon.svg"),
        }
    ],
    "SHOW_HISTORY": False,  # Django's own log can be deleted; ours is the audit trail
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": True,
        "navigation": "config.back_office.navigation.navigation",
    },
    "ACCOUNT": {
        "navigation": [
            {"title": "Recovery codes", "link": reverse_lazy("admin:second_factor_recovery-codes")},
            {"title": "Another phone", "link": reverse_lazy("admin:second_factor_enrol")},
        ]
    },
    "DASHBOARD_CALLBACK": "config.back_office.dashboard.dashboard_context",
    "STYLES": [lambda _request: static("tieout/back-office.css")],
    "SCRIPTS": [lambda _request: static("tieout/back-office.js")],
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.604)",
            "100": "oklch(93.2% .032 255.585)",
            "200": "oklch(88.2% .059 254.128)",
            "300": "oklch(80.9% .105 251.813)",
            "400": "oklch(70.7% .165 254.624)",
            "500": "oklch(62.3% .214 259.815)",
            "600": "oklch(54.6% .245 262.881)",
            "700": "oklch(48.8% .243 264.376)",
            "800": "oklch(42.4% .199 265.638)",
            "900": "oklch(37.9% .146 265.522)",
            "950": "oklch(28.2% .091 267.935)",
        }
    },
}
