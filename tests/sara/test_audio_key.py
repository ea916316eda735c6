"""Which key encrypts voice notes: a given one, one of the installation's own, or none."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import ValidationError

from crm.sealing import NotOurSeal, new_key
from sara.audio_key import own_keys, put_in_front
from sara.services import seal
from sara.settings import load


def test_an_installation_of_its_own_makes_one_key_for_its_owner_alone(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: own_keys(tmp_path / "data"), range(32)))
    assert [len(one) for one in keys] == [1] * 32
    assert len({one[0] for one in keys}) == 1
    assert [file.name for file in (tmp_path / "data").iterdir()] == ["audio.key"]
    assert (tmp_path / "data" / "audio.key").stat().st_mode & 0o777 == 0o600


def test_a_given_key_is_taken_and_older_ones_still_open(tmp_path: Path) -> None:
    old, new = new_key(), new_key()
    before = seal(load(data_dir=tmp_path, audio_key=old))
    after = seal(load(data_dir=tmp_path, audio_key=f"{new}, {old}"))
    assert before is not None
    assert after is not None
    assert after.open(before.close(b"OggS")) == b"OggS"
    assert not (tmp_path / "audio.key").exists()


def test_a_new_key_of_its_own_writes_and_the_old_one_still_opens(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path, database_url=None, audio_key=None)
    before = seal(settings)
    put_in_front(tmp_path)
    after = seal(settings)
    assert before is not None
    assert after is not None
    assert after.open(before.close(b"OggS")) == b"OggS"
    with pytest.raises(NotOurSeal):
        before.open(after.close(b"OggS"))
    assert (tmp_path / "audio.key").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["audio.key"]


def test_a_shared_database_without_a_key_keeps_no_sound(tmp_path: Path) -> None:
    assert seal(load(data_dir=tmp_path, database_url="postgresql://db/sara", audio_key="")) is None
    assert seal(load(data_dir=tmp_path, audio_days=0, audio_key=new_key())) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", ["short", "é" * 43 + "=", "A" * 43, f"{'A' * 43}=,short"])
def test_a_bad_key_is_refused_without_being_repeated(key: str) -> None:
    with pytest.raises(ValidationError, match="openssl rand -base64 32") as caught:
        load(audio_key=key)
    assert key not in str(caught.value)
