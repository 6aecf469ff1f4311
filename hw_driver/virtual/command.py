"""`card-terminal virtual PROTOCOL`: one virtual terminal, with its web face, until interrupted."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .cable import CableServer
from .concert import AUTO, Settings, VirtualConcert
from .concert_answers import V3, V3_ON_LINE, Dialect
from .concert_v2_answers import V2
from .face import Face
from .faults import FAULTS, BadFault, Faults, parse
from .ledger import Ledger, LedgerError
from .on_line import OnLine
from .server import Server, VirtualTerminal
from .zvt import VirtualZvt
from .zvt_on_line import OnZvtLine
from .zvt_talk import ZvtSettings


@dataclass(frozen=True, slots=True)
class Spoken:
    """How a terminal speaks: its dialect of CONCERT (None: ZVT), whether it usually hangs on a cable, its port."""

    dialect: Dialect | None
    cable: bool
    port: int = 8888


LACKABLE = ("refund", "reversal", "preauth", "settlement")
PROTOCOLS: dict[str, Spoken] = {
    "concert-v3": Spoken(V3, cable=False),
    "concert-v3-serial": Spoken(V3_ON_LINE, cable=True),
    "concert-v2": Spoken(V2, cable=True),
    "zvt": Spoken(None, cable=False, port=20007),
    "zvt-serial": Spoken(None, cable=True),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("protocol", choices=tuple(PROTOCOLS), help="the protocol the terminal speaks")
    parser.add_argument("--host", default="127.0.0.1", help="where tills reach it (default: %(default)s)")
    parser.add_argument(
        "--port", type=_port, help="0 chooses a free one (default: 8888, ZVT 20007; V2 and serial: a cable)"
    )
    parser.add_argument(
        "--device", type=Path, default=Path(tempfile.gettempdir(), f"card-terminal-{os.getpid()}"),
        help="name of the cable's port, a link to a pseudo-terminal (default: a new one in the temporary folder)",
    )  # fmt: skip
    parser.add_argument("--web", type=_port, help="port of its web face, on 127.0.0.1; 0 chooses a free one")
    parser.add_argument("--ledger", type=Path, help="file that keeps what it charged (default: in memory)")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME[=VALUE][,always]",
                        help=f"something to go wrong, once unless 'always': {', '.join(FAULTS)}")  # fmt: skip
    parser.add_argument("--auto", choices=AUTO[1:], default="", help="a cardholder who acts by themselves")
    parser.add_argument("--delay", type=_seconds, default=0.0, help="seconds before they act (default: at once)")
    parser.add_argument("--while-busy", choices=("refuse", "wait"), default="refuse", help="what a second till gets")
    parser.add_argument("--accept-bf", action="store_true", help="accept requests with BF, which Ingenico refuses")
    parser.add_argument("--no-duplicata", action="store_true", help="do not tell the last result (CD 3)")
    parser.add_argument(
        "--without", action="append", default=[], choices=LACKABLE, help="a kind it does not know (AF 12)"
    )
    parser.add_argument("--only-version", default="", metavar="0310", help="the one version it understands (CZ)")
    parser.add_argument("--ready", action="store_true", help="print a line of JSON when listening")


def run(args: argparse.Namespace) -> int:
    """Run until interrupted; 0, or 1 with one line on stderr that says what to do."""
    faults = Faults()
    try:
        for text in args.fault:
            name, mode, value = parse(text)
            faults.arm(name, mode, value)
        ledger = Ledger(args.ledger)
    except (BadFault, LedgerError) as error:
        return _fail(str(error))
    settings = Settings(
        auto=args.auto, delay=args.delay, while_busy=args.while_busy, refuse_bf=not args.accept_bf,
        duplicata=not args.no_duplicata, lacks=frozenset(args.without), only_version=args.only_version,
    )  # fmt: skip
    try:
        asyncio.run(_run(args, _server(args, settings, faults, ledger)))
    except LedgerError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"cannot listen: {error.strerror or error}. Choose another port with --port or --web.")
    except KeyboardInterrupt:
        pass  # where the event loop takes no signal handlers (Windows)
    finally:
        ledger.close()
    return 0


def _server(args: argparse.Namespace, settings: Settings, faults: Faults, ledger: Ledger) -> Server:
    spoken = PROTOCOLS[args.protocol]
    terminal: VirtualTerminal
    if spoken.dialect is None:
        own = ZvtSettings(auto=settings.auto, delay=settings.delay, duplicata=settings.duplicata)
        zvt = VirtualZvt(own, faults, entries=ledger.entries)
        terminal = OnZvtLine(zvt) if spoken.cable else zvt
    else:
        inside = VirtualConcert(settings, faults, batch=ledger.batch(), dialect=spoken.dialect)
        terminal = OnLine(inside) if spoken.dialect.framed else inside
    if spoken.cable and args.port is None:
        return CableServer(terminal, ledger, args.device, protocol=args.protocol)
    return Server(terminal, ledger, args.host, spoken.port if args.port is None else args.port, protocol=args.protocol)


async def _run(args: argparse.Namespace, server: Server) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    server.watchers.append(lambda: stopped.set() if server.failure else None)
    face = None
    await server.start()
    try:
        if args.web is not None:
            face = Face(server, port=args.web)
            await face.start()
        web = face.port if face else None
        if args.ready:
            device = str(server.link) if isinstance(server, CableServer) else None
            print(json.dumps({"port": server.port, "device": device, "web": web}), flush=True)
        else:
            print(f"Virtual {args.protocol} terminal on {server.place}. No real money.", flush=True)
            if web:
                print(f"Its face: http://127.0.0.1:{web}/", flush=True)
        await stopped.wait()
        if server.failure:
            raise server.failure
    finally:
        if face:
            await face.stop()
        await server.stop()


def _fail(why: str) -> int:
    print(f"card-terminal virtual: {why}", file=sys.stderr)
    return 1


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is 0 to 65535")
    return port


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < 86400:
        raise argparse.ArgumentTypeError("seconds are 0 or more")
    return seconds


if __name__ == "__main__":
    _parser = argparse.ArgumentParser(prog="card-terminal virtual", description=__doc__)
    add_arguments(_parser)
    sys.exit(run(_parser.parse_args()))
