"""What the parts of a request are for, in plain language."""

from typing import Final

METHODS: Final = {
    "GET": "asks to be sent what is there; changes nothing",
    "HEAD": "like GET, but asks for the headers of the answer only",
    "POST": "hands something over to be dealt with: a form, a new entry",
    "PUT": "asks that the content be stored here, in place of what was",
    "PATCH": "asks for a change of what is here; the content says which",
    "DELETE": "asks that what is here be removed",
    "OPTIONS": "asks which methods are possible here; browsers do so before they send to another site",
    "TRACE": "asks for the request back as it arrived, to test the way",
    "CONNECT": "asks a proxy for a tunnel to another host",
}

UNKNOWN_METHOD: Final = "a method that few programs know"

FIELDS: Final = {
    "accept": "which kinds of content the client can use, best first (q is the weight)",
    "accept-charset": "which character sets the client can read; no longer of use, since all is UTF-8",
    "accept-encoding": "how the content may be compressed on its way",
    "accept-language": "which languages the reader prefers",
    "access-control-request-headers": "which headers a script of another site wants to send",
    "access-control-request-method": "which method a script of another site wants to use",
    "authorization": "proof of who is asking; whoever reads it can pose as them",
    "cache-control": "how caches on the way are to treat this request",
    "connection": "whether the connection is to stay open after the answer",
    "content-encoding": "how the content is compressed",
    "content-length": "how many bytes of content follow after the empty line",
    "content-type": "what kind of content follows",
    "cookie": "what this server, or a page of it, had the browser remember",
    "date": "when the request was made",
    "dnt": "a wish not to be tracked, from before Sec-GPC",
    "expect": "the client waits for a word of consent (100) before it sends the content",
    "forwarded": "what a proxy on the way says of the client it speaks for",
    "from": "an address of the person behind a robot",
    "host": "which site is meant; one machine may serve many",
    "if-match": "do it only if what is there is still this version",
    "if-modified-since": "send it only if it has changed since then; the browser has a copy",
    "if-none-match": "send it only if it is not this version; the browser has a copy",
    "if-range": "continue a download only if what is there is still this version",
    "if-unmodified-since": "do it only if nobody has changed it since then",
    "keep-alive": "how long the connection may stay open, as older clients say it",
    "max-forwards": "how many proxies may pass it on",
    "origin": "which site the page comes from that sends this",
    "pragma": "Cache-Control as it was said in 1996",
    "priority": "how urgently the browser needs this",
    "proxy-authorization": "proof of who is asking, for a proxy on the way",
    "proxy-connection": "a mistake of old browsers for Connection",
    "range": "only this part is wanted, for example to continue a download",
    "referer": "the page whose link was followed (spelled wrong since 1996)",
    "sec-ch-ua": "the browser's brand, the shorter successor of User-Agent",
    "sec-ch-ua-mobile": "whether it is a phone (?1) or not (?0)",
    "sec-ch-ua-platform": "the operating system",
    "sec-fetch-dest": "what the browser will use the answer for: a page, an image, a script",
    "sec-fetch-mode": "how the browser came to ask: by going to a page, by a script",
    "sec-fetch-site": "whether a page of this site, of another, or the person asked",
    "sec-fetch-user": "a person clicked or typed (?1)",
    "sec-gpc": "a wish that the data be neither sold nor shared",
    "sec-purpose": "the browser only prepares for what may be asked next",
    "sec-websocket-key": "a random value that shows that the server understands WebSocket",
    "sec-websocket-version": "which version of WebSocket is meant",
    "te": "whether trailers, and which codings on this connection, are understood",
    "trailer": "which headers follow after the content",
    "transfer-encoding": "the content comes in chunks, each with its length, because the whole was not known",
    "upgrade": "another protocol the client would rather speak, for example websocket or h2c",
    "upgrade-insecure-requests": "the browser would rather be sent to https",
    "user-agent": "which program is asking; all claim to be Mozilla, for reasons of the year 1995",
    "via": "the proxies it came through",
    "x-forwarded-for": "a proxy's word on who asks; anybody can write that",
    "x-forwarded-host": "a proxy's word on which site was asked for",
    "x-forwarded-proto": "a proxy's word on whether the client used http or https",
    "x-requested-with": "a script asks, as older libraries say it",
}

CUSTOM_FIELD: Final = "a header of this client's own: servers that do not know it ignore it"

TARGETS: Final = {
    "origin": "which thing on this server: the path",
    "absolute": "the whole address, as clients write it to a proxy",
    "authority": "host and port to be connected with",
    "asterisk": "the server as a whole",
}

CONTENT_TYPES: Final = {
    "application/x-www-form-urlencoded": "the fields of a form: name=value, joined by &",
    "multipart/form-data": "the fields and files of a form, each a part between two boundaries",
    "application/json": "JSON: data as text, as programs exchange it",
    "text/plain": "plain text",
    "text/html": "a page of HTML",
    "application/octet-stream": "bytes of an unnamed kind",
}
