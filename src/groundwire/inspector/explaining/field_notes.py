"""What each known field is for, in plain language, and where that is laid down.

A line of a table: name, what it is for, and document and section (or an address) where there is one. The words are
those for somebody who sees the field for the first time.
"""

from typing import Final

IN_REQUESTS: Final = """
Accept | which kinds of content the client can use, best first (q is the weight) | RFC 9110 §12.5.1
Accept-Charset | which character sets the client can read; no longer of use, since all is UTF-8 | RFC 9110 §12.5.2
Accept-Encoding | how the content may be compressed on its way | RFC 9110 §12.5.3
Accept-Language | which languages the reader prefers | RFC 9110 §12.5.4
Access-Control-Request-Headers | which headers a script of another site wants to send | https://fetch.spec.whatwg.org/#http-access-control-request-headers
Access-Control-Request-Method | which method a script of another site wants to use | https://fetch.spec.whatwg.org/#http-access-control-request-method
Alt-Used | which of the alternative addresses of this site the client uses | RFC 7838 §5
Authorization | proof of who is asking; whoever reads it can pose as them | RFC 9110 §11.6.2
Cache-Control | how caches on the way are to treat this request | RFC 9111 §5.2.1
Connection | whether the connection is to stay open after the answer | RFC 9110 §7.6.1
Content-Digest | a checksum of the content that follows | RFC 9530 §2
Content-Disposition | what the content is to be called, as parts of a form say it | RFC 6266 §4
Content-Encoding | how the content is compressed | RFC 9110 §8.4
Content-Language | which language the content is in | RFC 9110 §8.5
Content-Length | how many bytes of content follow after the empty line | RFC 9110 §8.6
Content-Location | where the client found the content that it sends | RFC 9110 §8.7
Content-Range | which part of the whole the content is | RFC 9110 §14.4
Content-Type | what kind of content follows | RFC 9110 §8.3
Cookie | what this server, or a page of it, had the browser remember | RFC 6265 §4.2
Date | when the request was made | RFC 9110 §6.6.1
Depth | how far down a folder's tree a WebDAV request goes | RFC 4918 §10.2
Destination | where a WebDAV client wants something copied or moved to | RFC 4918 §10.3
DNT | a wish not to be tracked, from before Sec-GPC | https://www.w3.org/TR/tracking-dnt/#dnt-header-field
Early-Data | this was sent before TLS was set up, so somebody may be sending it again | RFC 8470 §5.1
Expect | the client waits for a word of consent (100) before it sends the content | RFC 9110 §10.1.1
Forwarded | what a proxy on the way says of the client it speaks for | RFC 7239 §4
From | an address of the person behind a robot | RFC 9110 §10.1.2
Host | which site is meant; one machine may serve many | RFC 9110 §7.2
HTTP2-Settings | how a client that offers to go on in HTTP/2 would like that; no longer done | RFC 7540 §3.2.1
Idempotency-Key | the same key again means the same request again, to be carried out once
If-Match | do it only if what is there is still this version | RFC 9110 §13.1.1
If-Modified-Since | send it only if it has changed since then; the browser has a copy | RFC 9110 §13.1.3
If-None-Match | send it only if it is not this version; the browser has a copy | RFC 9110 §13.1.2
If-Range | continue a download only if what is there is still this version | RFC 9110 §13.1.5
If-Unmodified-Since | do it only if nobody has changed it since then | RFC 9110 §13.1.4
Keep-Alive | how long the connection may stay open, as older clients say it | RFC 9112 §C.2.2
Last-Event-ID | the last event that a page has seen; the stream is to go on behind it | https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header
Max-Forwards | how many proxies may pass it on | RFC 9110 §7.6.2
Origin | which site the page comes from that sends this | RFC 6454 §7
Overwrite | whether a WebDAV client means to replace what is at the destination | RFC 4918 §10.6
Pragma | Cache-Control as it was said in 1996 | RFC 9111 §5.4
Prefer | what the client would like the answer to be, if it can be had | RFC 7240 §2
Priority | how urgently the browser needs this | RFC 9218 §5
Proxy-Authorization | proof of who is asking, for a proxy on the way | RFC 9110 §11.7.2
Proxy-Connection | a mistake of old browsers for Connection | RFC 9112 §C.2.2
Range | only this part is wanted, for example to continue a download | RFC 9110 §14.2
Referer | the page whose link was followed (spelled wrong since 1996) | RFC 9110 §10.1.3
Repr-Digest | a checksum of the whole, of which the content may be a part | RFC 9530 §3
Save-Data | the reader pays for data, or has little: less would be welcome | https://wicg.github.io/savedata/#save-data-request-header-field
Sec-CH-UA | the browser's brand, the shorter successor of User-Agent | https://wicg.github.io/ua-client-hints/#sec-ch-ua
Sec-CH-UA-Mobile | whether it is a phone (?1) or not (?0) | https://wicg.github.io/ua-client-hints/#sec-ch-ua-mobile
Sec-CH-UA-Platform | the operating system | https://wicg.github.io/ua-client-hints/#sec-ch-ua-platform
Sec-Fetch-Dest | what the browser will use the answer for: a page, an image, a script | https://www.w3.org/TR/fetch-metadata/#sec-fetch-dest-header
Sec-Fetch-Mode | how the browser came to ask: by going to a page, by a script | https://www.w3.org/TR/fetch-metadata/#sec-fetch-mode-header
Sec-Fetch-Site | whether a page of this site, of another, or the person asked | https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
Sec-Fetch-User | a person clicked or typed (?1) | https://www.w3.org/TR/fetch-metadata/#sec-fetch-user-header
Sec-GPC | a wish that the data be neither sold nor shared | https://www.w3.org/TR/gpc/
Sec-Purpose | the browser only prepares for what may be asked next | https://fetch.spec.whatwg.org/#sec-purpose-header
Sec-WebSocket-Extensions | additions to WebSocket that the client knows, such as compression | RFC 6455 §11.3.2
Sec-WebSocket-Key | a random value that shows that the server understands WebSocket | RFC 6455 §11.3.1
Sec-WebSocket-Protocol | the languages the client could speak over WebSocket, best first | RFC 6455 §11.3.4
Sec-WebSocket-Version | which version of WebSocket is meant | RFC 6455 §11.3.5
Service-Worker | the browser asks for the script that is to work for this site | https://www.w3.org/TR/service-workers/#service-worker-script-request
TE | whether trailers, and which codings on this connection, are understood | RFC 9110 §10.1.4
Traceparent | which trace this belongs to, so that one request can be followed through many programs | https://www.w3.org/TR/trace-context/#traceparent-header
Tracestate | what the programs of a trace tell each other about it | https://www.w3.org/TR/trace-context/#tracestate-header
Trailer | which headers follow after the content | RFC 9110 §6.6.2
Transfer-Encoding | the content comes in chunks, each with its length, because the whole was not known | RFC 9112 §6.1
Upgrade | another protocol the client would rather speak, for example websocket or h2c | RFC 9110 §7.8
Upgrade-Insecure-Requests | the browser would rather be sent to https | https://www.w3.org/TR/upgrade-insecure-requests/#preference
User-Agent | which program is asking; all claim to be Mozilla, for reasons of the year 1995 | RFC 9110 §10.1.5
Via | the proxies it came through | RFC 9110 §7.6.3
Want-Content-Digest | which checksums of the content the client would like | RFC 9530 §4
X-Api-Key | a key that says which program is asking; whoever reads it can pose as it
X-Csrf-Token | a value from the page that sends this, which shows that it is a page of this site
X-Csrftoken | a value from the page that sends this, which shows that it is a page of this site
X-Forwarded-For | a proxy's word on who asks; anybody can write that | RFC 7239 §7.4
X-Forwarded-Host | a proxy's word on which site was asked for | RFC 7239 §7.4
X-Forwarded-Port | a proxy's word on which port was asked
X-Forwarded-Prefix | a proxy's word on what it has cut off the front of the path
X-Forwarded-Proto | a proxy's word on whether the client used http or https | RFC 7239 §7.4
X-Http-Method-Override | another method than the one above, for clients that cannot send it
X-Real-Ip | a proxy's word on who asks, as nginx says it
X-Request-Id | a name for this request, to be found again in logs
X-Requested-With | a script asks, as older libraries say it
"""

IN_RESPONSES: Final = """
Accept-CH | what the server would like the browser to tell of itself | RFC 8942 §3.1
Accept-Patch | which kinds of content can be sent here with PATCH | RFC 5789 §3.1
Accept-Post | which kinds of content can be sent here with POST | https://www.w3.org/TR/ldp/#header-accept-post
Accept-Ranges | whether a part of this can be asked for, for example to continue a download | RFC 9110 §14.3
Access-Control-Allow-Credentials | scripts of other sites may send cookies along | https://fetch.spec.whatwg.org/#http-access-control-allow-credentials
Access-Control-Allow-Headers | which headers scripts of other sites may send | https://fetch.spec.whatwg.org/#http-access-control-allow-headers
Access-Control-Allow-Methods | which methods scripts of other sites may use | https://fetch.spec.whatwg.org/#http-access-control-allow-methods
Access-Control-Allow-Origin | whose scripts may read this answer besides those of this site | https://fetch.spec.whatwg.org/#http-access-control-allow-origin
Access-Control-Expose-Headers | which headers of this answer scripts of other sites may read | https://fetch.spec.whatwg.org/#http-access-control-expose-headers
Access-Control-Max-Age | for how many seconds the browser need not ask again what other sites may do | https://fetch.spec.whatwg.org/#http-access-control-max-age
Age | for how many seconds this has been in a cache on the way | RFC 9111 §5.1
Allow | the methods that are possible here | RFC 9110 §10.2.1
Alt-Svc | where else, or by which other protocol, the same can be had | RFC 7838 §3
Authentication-Info | how the login went on, for example the next value to use | RFC 9110 §11.6.3
Cache-Control | who may keep a copy of this, and for how long | RFC 9111 §5.2.2
Clear-Site-Data | what the browser is to forget of this site | https://www.w3.org/TR/clear-site-data/#header
Connection | whether the connection stays open after this answer | RFC 9110 §7.6.1
Content-Digest | a checksum of the content that follows | RFC 9530 §2
Content-Disposition | whether to show the content or to save it, and under which name | RFC 6266 §4
Content-Encoding | how the content is compressed; the client undoes it | RFC 9110 §8.4
Content-Language | which language the content is in | RFC 9110 §8.5
Content-Length | how many bytes of content follow after the empty line | RFC 9110 §8.6
Content-Location | the address of just this version of what was asked for | RFC 9110 §8.7
Content-Range | which part of the whole this is | RFC 9110 §14.4
Content-Security-Policy | what the page may load and run; whatever else was smuggled into it is not run | https://www.w3.org/TR/CSP3/#csp-header
Content-Security-Policy-Report-Only | a policy to try: what it would forbid is reported, and done all the same | https://www.w3.org/TR/CSP3/#cspro-header
Content-Type | what kind of content follows | RFC 9110 §8.3
Cross-Origin-Embedder-Policy | the page takes in nothing of other sites that does not consent to it | https://html.spec.whatwg.org/multipage/browsers.html#coep
Cross-Origin-Opener-Policy | windows of other sites keep no hold of this page | https://html.spec.whatwg.org/multipage/browsers.html#cross-origin-opener-policies
Cross-Origin-Resource-Policy | whose pages may take this in | https://fetch.spec.whatwg.org/#cross-origin-resource-policy-header
Date | when the answer was made | RFC 9110 §6.6.1
Deprecation | since when this should no longer be used | RFC 9745 §2
ETag | the name of this version; whoever has a copy can ask whether it is still the one | RFC 9110 §8.8.3
Expires | until when a copy is good; Cache-Control says it better | RFC 9111 §5.3
Keep-Alive | how long the connection may stay open, as older servers say it | RFC 9112 §C.2.2
Last-Modified | when what was asked for last changed; whoever has a copy can ask whether it did since | RFC 9110 §8.8.2
Link | what else goes with this, and how: the next page, a style sheet to fetch already | RFC 8288 §3
Location | where to go on: the new address, or that of what was made | RFC 9110 §10.2.2
NEL | to whom the browser reports when this site cannot be reached | https://www.w3.org/TR/network-error-logging/#nel-response-header
Origin-Agent-Cluster | the page would rather have a process of its own | https://html.spec.whatwg.org/multipage/browsers.html#origin-agent-cluster
Permissions-Policy | which abilities of the browser the page may use: camera, place, payment | https://www.w3.org/TR/permissions-policy-1/#permissions-policy-http-header-field
Pragma | Cache-Control as it was said in 1996 | RFC 9111 §5.4
Preference-Applied | which of the client's wishes was followed | RFC 7240 §3
Proxy-Authenticate | how to say who is asking, to a proxy on the way | RFC 9110 §11.7.1
Proxy-Authentication-Info | how the login at a proxy went on | RFC 9110 §11.7.3
Referrer-Policy | how much of this page's address the browser may tell others | https://www.w3.org/TR/referrer-policy/#referrer-policy-header
Refresh | load again, or go elsewhere, after so many seconds | https://html.spec.whatwg.org/multipage/document-lifecycle.html#the-refresh-header
Report-To | where the browser sends its reports, as older browsers read it | https://www.w3.org/TR/reporting-1/
Reporting-Endpoints | where the browser sends its reports | https://www.w3.org/TR/reporting-1/#header
Repr-Digest | a checksum of the whole, of which the content may be a part | RFC 9530 §3
Retry-After | when to come again: seconds from now, or a date | RFC 9110 §10.2.3
Sec-WebSocket-Accept | made from the client's key; shows that the server understands WebSocket | RFC 6455 §11.3.3
Sec-WebSocket-Extensions | the additions to WebSocket that will be used | RFC 6455 §11.3.2
Sec-WebSocket-Protocol | the language that will be spoken over WebSocket | RFC 6455 §11.3.4
Server | which program answers | RFC 9110 §10.2.4
Server-Timing | what took how long on the server | https://www.w3.org/TR/server-timing/#the-server-timing-header-field
Service-Worker-Allowed | how much of the site a worker script may work for | https://www.w3.org/TR/service-workers/#service-worker-allowed
Set-Cookie | what the browser is to remember and send with each request from now on | RFC 6265 §4.1
SourceMap | where the source of this script or style sheet can be found | https://tc39.es/ecma426/
Strict-Transport-Security | come by https only, for so many seconds | RFC 6797 §6.1
Sunset | when this will cease to be here | RFC 8594 §3
Timing-Allow-Origin | which sites may see how long this took | https://www.w3.org/TR/resource-timing/#sec-timing-allow-origin
Traceparent | which trace this belongs to | https://www.w3.org/TR/trace-context/#traceparent-header
Trailer | which headers follow after the content | RFC 9110 §6.6.2
Transfer-Encoding | the content comes in chunks, each with its length, because the whole was not known | RFC 9112 §6.1
Upgrade | which other protocol is spoken from here on, or could be | RFC 9110 §7.8
Vary | which headers of the request the answer depends on; a cache keeps a copy for each | RFC 9110 §12.5.5
Via | the proxies it came through | RFC 9110 §7.6.3
Warning | something about a copy from a cache; no longer used | RFC 9111 §5.5
Www-Authenticate | how to say who is asking; the browser asks for name and password | RFC 9110 §11.6.1
X-Accel-Buffering | whether nginx, if it is on the way, may hold the answer back until it has enough of it
X-Cache | whether a cache on the way had it
X-Content-Type-Options | the content is what Content-Type says, and nothing is to be guessed | https://fetch.spec.whatwg.org/#x-content-type-options-header
X-Dns-Prefetch-Control | whether the browser may look up the names in links before they are followed
X-Frame-Options | who may show this page within another | RFC 7034 §2
X-Permitted-Cross-Domain-Policies | what old plugins of other sites may read here
X-Powered-By | which program made the answer; of use mostly to attackers
X-Request-Id | a name for this request, to be found again in logs
X-Robots-Tag | what search engines may do with this
X-Wire-Id | the name of this exchange in the inspector
X-Xss-Protection | a guess at smuggled scripts that browsers no longer make
"""
