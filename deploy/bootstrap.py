"""Make `.venv` hold exactly what a lock file names: `python3 deploy/bootstrap.py requirements.lock`.

Standard library only, and syntax that an old Python can still read, so that it can say what is wrong.
A lock that is already installed (same checksum, same Python) costs one file read.
"""

import hashlib
import importlib.util
import json
import os
import subprocess
import sys

OLDEST = (3, 11)
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
VENV_PYTHON = os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, "installed-locks.json")


def main(lock_name):
    """Install `lock_name` into `.venv` unless it is there already."""
    refuse_unusable_python()
    lock = os.path.join(ROOT, lock_name)
    with open(lock, "rb") as file:
        checksum = hashlib.sha256(file.read()).hexdigest()
    installed = read_stamp()
    if installed.get(lock_name) == checksum:
        return
    if not has_pip():
        if os.path.islink(VENV):
            sys.exit(".venv 是指向别处的链接，且不能用：为免清空别人的环境，请先删除这个链接。")
        print("正在创建 .venv ……", flush=True)
        run([sys.executable, "-m", "venv", "--clear", VENV], "无法创建 .venv")
        installed = {}
    print("正在按 %s 安装依赖（首次约需一分钟）……" % lock_name, flush=True)
    install = [VENV_PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(
        install + ["--require-hashes", "-r", lock],
        "依赖安装失败：请检查网络，或用 PIP_INDEX_URL 指定可用的软件源后重试",
    )
    write_stamp(dict(installed, **{lock_name: checksum}))


def refuse_unusable_python():
    """End with one sentence and its cure where this Python cannot build the environment."""
    version = "%d.%d" % sys.version_info[:2]
    if sys.version_info < OLDEST:
        sys.exit(
            "需要 Python 3.11 或更高版本，当前是 %s：请安装后用 make PYTHON=python3.11 … 指定。" % version
        )
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        sys.exit(
            "Python %s 缺少 venv 模块：请执行 apt-get install python%s-venv 后重试。" % (version, version)
        )


def read_stamp():
    """Return which locks the environment holds; nothing where it was made by another Python."""
    try:
        with open(STAMP, encoding="utf-8") as file:
            stamp = json.load(file)
    except (OSError, ValueError):
        return {}
    if stamp.get("python") != sys.version or not os.path.exists(VENV_PYTHON):
        return {}
    return stamp


def write_stamp(stamp):
    """Record what is installed, whole or not at all."""
    stamp["python"] = sys.version
    with open(STAMP + ".new", "w", encoding="utf-8") as file:
        json.dump(stamp, file)
    os.replace(STAMP + ".new", STAMP)


def has_pip():
    """Return whether `.venv` is whole and made by this very version of Python."""
    probe = "import pip, sys; raise SystemExit(sys.version != %r)" % sys.version
    try:
        return subprocess.call([VENV_PYTHON, "-c", probe], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def run(command, complaint):
    """Run a command; on failure end with the complaint."""
    code = subprocess.call(command)
    if code:
        sys.exit("%s（退出码 %d）。" % (complaint, code))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "requirements.lock")
