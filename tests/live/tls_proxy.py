"""A TLS reverse proxy before Odoo, as shops have one on the internet: pages come from https://shop.example.com."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = "shop.example.com"
NOT_FORWARDED = {
    "connection",
    "content-encoding",
    "content-length",
    "host",
    "keep-alive",
    "transfer-encoding",
    "upgrade",
}
SOCKET_HEADERS = ("sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions", "sec-websocket-protocol")


def certificate(folder: Path) -> ssl.SSLContext:
    """A server context with a self-signed certificate that is made now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "tls.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@contextmanager
def tls_proxy(odoo_port: int, port: int, folder: Path) -> Iterator[str]:
    """Serve Odoo over TLS on `port` inside the block; gives the address of the pages."""
    loop = asyncio.new_event_loop()
    started = threading.Event()
    stop = asyncio.Event()

    async def serve() -> None:
        async with aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()) as session:

            async def forward(request: web.Request) -> web.StreamResponse:
                return await _forward(session, odoo_port, request)

            app = web.Application(client_max_size=64 * 2**20)
            app.router.add_route("*", "/{path:.*}", forward)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", port, ssl_context=certificate(folder)).start()
            started.set()
            await stop.wait()
            await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    started.wait()
    try:
        yield f"https://{NAME}:{port}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


async def _forward(session: aiohttp.ClientSession, odoo_port: int, request: web.Request) -> web.StreamResponse:
    odoo = f"http://127.0.0.1:{odoo_port}"
    headers = {name: value for name, value in request.headers.items() if name.lower() not in NOT_FORWARDED}
    headers["Host"] = request.headers["Host"]
    if request.headers.get("Upgrade", "").lower() == "websocket":
        return await _forward_socket(session, odoo + request.path_qs, headers, request)
    async with session.request(
        request.method, odoo + request.raw_path, headers=headers, data=await request.read(), allow_redirects=False
    ) as answer:
        told = web.Response(status=answer.status, body=await answer.read())
        for name, value in answer.headers.items():
            if name.lower() not in NOT_FORWARDED - {"content-encoding"}:
                told.headers.add(name, value.replace(f"http://{NAME}", f"https://{NAME}"))
        return told


async def _forward_socket(
    session: aiohttp.ClientSession, address: str, headers: dict[str, str], request: web.Request
) -> web.WebSocketResponse:
    headers = {name: value for name, value in headers.items() if name.lower() not in SOCKET_HEADERS}
    outer = web.WebSocketResponse()
    await outer.prepare(request)
    async with session.ws_connect(address, headers=headers) as inner:

        async def pump(source: object, target: object) -> None:
            async for message in source:  # type: ignore[attr-defined]
                if message.type is aiohttp.WSMsgType.TEXT:
                    await target.send_str(message.data)  # type: ignore[attr-defined]
                elif message.type is aiohttp.WSMsgType.BINARY:
                    await target.send_bytes(message.data)  # type: ignore[attr-defined]
            await target.close()  # type: ignore[attr-defined]

        await asyncio.gather(pump(outer, inner), pump(inner, outer), return_exceptions=True)
    return outer
