"""The console's own icons: strokes on a 16 × 16 grid, drawn inline so that nothing flashes in late."""

from __future__ import annotations

STROKES: dict[str, str] = {
    "alert": '<path d="M8 2.2 14.4 13.5H1.6zM8 6.5v3M8 11.6v.1"/>',
    "arrow-right": '<path d="M3 8h10M9.5 4.5 13 8l-3.5 3.5"/>',
    "check": '<path d="m3 8.5 3.2 3.2L13 4.8"/>',
    "chevron-down": '<path d="m4.5 6.5 3.5 3.5 3.5-3.5"/>',
    "chevron-left": '<path d="M9.5 4.5 6 8l3.5 3.5"/>',
    "chevron-right": '<path d="M6.5 4.5 10 8l-3.5 3.5"/>',
    "chevron-up": '<path d="m4.5 9.5 3.5-3.5 3.5 3.5"/>',
    "chevrons": '<path d="m5 6 3-3 3 3M5 10l3 3 3-3"/>',
    "clock": '<circle cx="8" cy="8" r="6"/><path d="M8 4.8V8l2.2 1.6"/>',
    "code": '<path d="m5 4.5-3.5 3.5L5 11.5M11 4.5 14.5 8 11 11.5M9.2 3l-2.4 10"/>',
    "copy": '<rect x="5.5" y="5.5" width="8" height="8.5" rx="1.5"/>'
    '<path d="M10.5 5.5V3.5A1.5 1.5 0 0 0 9 2H4a1.5 1.5 0 0 0-1.5 1.5v6A1.5 1.5 0 0 0 4 11h1.5"/>',
    "deployments": '<rect x="2" y="2.5" width="12" height="4.5" rx="1"/>'
    '<rect x="2" y="9" width="12" height="4.5" rx="1"/>'
    '<path d="M4.8 4.75h.1M4.8 11.25h.1M8 4.75h3M8 11.25h3"/>',
    "download": '<path d="M8 2.5v7.5M4.8 7 8 10.2 11.2 7M2.5 13.5h11"/>',
    "gpu": '<rect x="4" y="4" width="8" height="8" rx="1"/><rect x="6.5" y="6.5" width="3" height="3"/>'
    '<path d="M6 1.8V4M10 1.8V4M6 12v2.2M10 12v2.2M1.8 6H4M1.8 10H4M12 6h2.2M12 10h2.2"/>',
    "history": '<path d="M2.5 8A5.5 5.5 0 1 0 4.2 4L2.5 5.6M2.5 2.3v3.3h3.3M8 5v3.2l2.2 1.3"/>',
    "info": '<circle cx="8" cy="8" r="6"/><path d="M8 7.5v3.3M8 5.1v.1"/>',
    "jobs": '<path d="M2.5 4h7M2.5 8h4.5M2.5 12h3M10.8 7.2v5.6l3.7-2.8z"/>',
    "key": '<circle cx="5.2" cy="10.8" r="2.9"/><path d="m7.4 8.6 6-6M11 5l2.2 2.2M9.2 6.8l1.4 1.4"/>',
    "keyboard": '<rect x="1.5" y="4" width="13" height="8.5" rx="1.5"/>'
    '<path d="M4.3 7h.1M7 7h.1M9.6 7h.1M12 7h.1M5 9.8h6"/>',
    "mail": '<rect x="2" y="3.5" width="12" height="9.5" rx="1.5"/><path d="m2.5 5 5.5 4 5.5-4"/>',
    "monitor": '<rect x="2" y="2.5" width="12" height="8.5" rx="1.5"/><path d="M5.5 14h5M8 11v3"/>',
    "moon": '<path d="M13.5 9.6A5.8 5.8 0 0 1 6.4 2.5a5.8 5.8 0 1 0 7.1 7.1z"/>',
    "more": '<circle cx="3" cy="8" r=".8"/><circle cx="8" cy="8" r=".8"/><circle cx="13" cy="8" r=".8"/>',
    "overview": '<rect x="2" y="2" width="5" height="6.5" rx="1"/>'
    '<rect x="9" y="2" width="5" height="3.5" rx="1"/>'
    '<rect x="9" y="7.5" width="5" height="6.5" rx="1"/><rect x="2" y="10.5" width="5" height="3.5" rx="1"/>',
    "pause": '<rect x="4" y="3" width="2.6" height="10" rx=".6"/>'
    '<rect x="9.4" y="3" width="2.6" height="10" rx=".6"/>',
    "play": '<path d="M5 2.8v10.4L13 8z"/>',
    "plus": '<path d="M8 3v10M3 8h10"/>',
    "rotate": '<path d="M13.5 8a5.5 5.5 0 1 1-1.7-4l1.7 1.6M13.5 2.3v3.3h-3.3"/>',
    "search": '<circle cx="7" cy="7" r="4.5"/><path d="m10.4 10.4 3.3 3.3"/>',
    "settings": '<path d="M2 4.5h6.5M11.5 4.5H14M2 11.5h2.5M7.5 11.5H14"/>'
    '<circle cx="10" cy="4.5" r="1.6"/><circle cx="6" cy="11.5" r="1.6"/>',
    "shield": '<path d="M8 1.8 13 3.6v4.2c0 3-2 5.2-5 6.4-3-1.2-5-3.4-5-6.4V3.6z"/>',
    "sign-out": '<path d="M6.5 2.5h-4v11h4M6 8h8M11 5l3 3-3 3"/>',
    "stop": '<rect x="4" y="4" width="8" height="8" rx="1.2"/>',
    "sun": '<circle cx="8" cy="8" r="2.8"/>'
    '<path d="M8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7"/>'
    '<path d="M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7"/>',
    "trash": '<path d="M2.5 4.2h11M6 4V2.5h4V4M4 4.2l.6 9.3h6.8l.6-9.3M6.6 6.8v4M9.4 6.8v4"/>',
    "upload": '<path d="M8 10.2V2.5M4.8 5.7 8 2.5l3.2 3.2M2.5 13.5h11"/>',
    "usage": '<path d="M2.5 13.5h11M4.2 10.8V7.5M8 10.8V3M11.8 10.8V5.5"/>',
    "user": '<circle cx="8" cy="5.2" r="2.7"/><path d="M2.8 13.8c.6-2.8 2.6-4.2 5.2-4.2s4.6 1.4 5.2 4.2"/>',
    "voice": '<rect x="5.8" y="1.8" width="4.4" height="7.6" rx="2.2"/>'
    '<path d="M3 7.6a5 5 0 0 0 10 0M8 12.6v1.8"/>',
    "wave": '<path d="M2 7v2M4.4 4.5v7M6.8 2.5v11M9.2 6v4M11.5 8H14"/>',
    "webhook": '<circle cx="8" cy="4.2" r="2.1"/><circle cx="3.9" cy="11.6" r="2.1"/>'
    '<circle cx="12.1" cy="11.6" r="2.1"/><path d="M7 6 5 9.8M9 6l2 3.8M6 11.6h4"/>',
    "x": '<path d="m4 4 8 8M12 4l-8 8"/>',
}
