"""Unix sockets of our own: where they lie, and how a part says that it is ready."""

import hashlib
import os
import socket
import stat
import tempfile
from pathlib import Path

# sockaddr_un holds 108 bytes on Linux and 104 on macOS, the closing zero included.
MAX_SOCKET_PATH_BYTES = 103


def private_socket(folder: Path, name: str) -> Path:
    """Return a path for the socket `name` that only this user reaches, in `folder` if that is short enough.

    A path too long for a socket address gets a folder under the temporary directory instead, the same each time.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    near = folder.resolve() / name
    if len(os.fsencode(near)) <= MAX_SOCKET_PATH_BYTES:
        return near
    digest = hashlib.sha256(os.fsencode(near.parent)).hexdigest()[:12]
    short = Path(tempfile.gettempdir()) / f"grid-{os.getuid()}-{digest}"
    short.mkdir(mode=0o700, exist_ok=True)
    facts = short.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or stat.S_IMODE(facts.st_mode) != 0o700:
        raise PermissionError(f"目录 {short} 不属于当前用户或权限过宽：请删除该目录后重试。")
    return short / name


def announce_ready() -> None:
    """Tell whoever started this process that it is at work (the `sd_notify` protocol, also read by systemd)."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    message = f"READY=1\nMAINPID={os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect("\0" + address[1:] if address.startswith("@") else address)
        sender.send(message.encode())


class ReadySocket:
    """The receiving end: which parts have announced themselves since the last look."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(os.fspath(path))
        self._socket.setblocking(False)

    def fileno(self) -> int:
        """File descriptor, for `select`."""
        return self._socket.fileno()

    def announced(self) -> set[int]:
        """Return the process ids of the parts that announced themselves."""
        pids: set[int] = set()
        while True:
            try:
                fields = self._socket.recv(4096).decode(errors="replace").splitlines()
            except BlockingIOError:
                return pids
            if "READY=1" in fields:
                pids |= {
                    int(field[8:]) for field in fields if field.startswith("MAINPID=") and field[8:].isdigit()
                }

    def close(self) -> None:
        """Close and remove the socket."""
        self._socket.close()
        self.path.unlink(missing_ok=True)
