"""A credentials file."""

from pathlib import Path


def credentials(tmp_path: Path, text: str, mode: int = 0o600) -> str:
    path = tmp_path / "credentials"
    path.write_text(text)
    path.chmod(mode)
    return str(path)
