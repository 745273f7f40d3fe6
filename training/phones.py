"""Phones on the frame clock: labels of aligned recordings, and synthetic speech whose phone times are exact.

Debian's flite speaks random word sequences and prints the end of every phone (``-psdur``). Such clips carry no motion:
they teach the audio encoder what is said, in voices and words that the recordings lack.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dtalker_model.rates import FRAME_RATE_HZ
from training.corpus import Clip

PHONES = tuple(
    "SIL AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH".split()
)
UNKNOWN = -1
SPELLINGS = {"PAU": "SIL", "SP": "SIL", "SPN": "SIL", "AX": "AH", "AXR": "ER", "IX": "IH", "DX": "D", "HV": "HH", "EL": "L", "EN": "N"}
VOICES = ("slt", "rms", "awb", "kal16")
WORDS = """
about above across after again almost along always among animal answer apple arm around autumn baby back bad bag ball banana
basket beach beautiful because become bed before begin behind believe below bench better between beyond big bird black blue
boat body book both bottle bottom box boy branch bread bridge bright bring brother brown build bus but butter button buy by
cabin cake call camera can candle captain car careful carry castle cat catch cause chair change chapter cheap check cheese
child choice choose church circle city class clean clear climb clock close cloth cloud coat coffee cold color come common
copper corner could country couple course cover crowd cup cut dance danger dark daughter day dead dear decide deep desk
different dinner direct dirty distance doctor dog door double down dozen draw dream dress drink drive drop dry during dust
each early earth east easy edge eight either empty end engine enjoy enough even evening every example eye face fair fall
family famous far farm father favor fear feather feel few fifty figure fill find finger finish fire first fish five flat
floor flower fly follow food foot for force forest forget form forward four fresh friend from front fruit full funny
future game garden gate gather gentle get gift girl give glad glass go gold good grass great green ground group grow guess
guest guitar hair half hammer hand happen happy harbor hard hat have head hear heart heavy help here hidden high hill hold
hole home honey hope horse hotel hour house how huge human hundred hungry hurry ice idea if imagine in inside iron island
job join joke joy judge juice jump just keep key kick kind king kitchen knee knife know ladder lady lake lamp language large
last late laugh law leaf learn leather leave left leg lemon less letter light like line lion listen little live long look
loose lot loud love low lucky machine magic mail make man many map march market marriage matter may measure meat medium
meet member memory metal middle might milk million mind minute mirror miss mix modern moment money monkey month moon more
morning mother mountain mouse mouth move much mud music must my name narrow near neck need neighbor never new next nice
night nine no noise none noon north nose nothing notice now number ocean of off offer office often oil old once one onion
only open orange order other our out over own page paint pair paper park part party pass past path pay peace pen pencil
people pepper perhaps person phone photo piano pick picture piece pig pillow pink place plan plane plant plate play please
pleasure pocket point police poor popular possible pot potato power prepare present pretty price prince problem promise proud
public pull pump purple push put queen question quick quiet rabbit rain raise reach read ready real reason record red
remember repeat reply rest rice rich ride right ring river road rock roof room root rope rose rough round rule run sad
safe salt same sand save say school sea season seat second secret see seem sell send sentence seven shade shadow shake
shape share sharp sheep sheet ship shirt shoe shop short should shoulder shout show shut sick side sign silver simple since
sing sister sit six size skin sky sleep slow small smell smile smooth snow soap soft soil soldier some song soon sound soup
south space speak special spell spend spoon spring square stairs stand star start station stay steam step still stone stop
store storm story straight strange street strong student study such sudden sugar summer sun supper sure surprise sweet swim
table tail take talk tall taste taxi teach team ten than thank that the their them then there these they thick thin thing
think third thirty this those though thousand three through thumb thunder tie tiger time tiny to today together tomorrow
tongue too tooth top total touch toward tower town toy train travel treasure tree trouble true try turn twelve twenty two
uncle under until up upon usual valley value vegetable very view village visit vision voice wait walk wall want warm wash
watch water wave way we weak wear weather week weight well west wet what wheel when where which while white who whole why
wide wife wild will win wind window winter wire wise wish with woman wonder wood word work world worry would write wrong
yard year yellow yes yesterday you young your zebra zero
""".split()


def phone_labels(phones: Sequence[tuple[str, float, float]], frames: int, speed: float = 1.0) -> np.ndarray:
    """Phone index at the time of each frame, (frames,) int64; `UNKNOWN` where nothing is labelled.

    Args:
        phones: (name, start_s, duration_s), ARPAbet with or without stress.
        speed: how much faster the audio plays than it was when labelled.
    """
    labels = np.full(frames, UNKNOWN, np.int64)
    for name, start_s, duration_s in phones:
        begin, end = (round(t / speed * FRAME_RATE_HZ) for t in (start_s, start_s + duration_s))
        labels[begin:end] = phone_index(name)
    return labels


def phone_index(name: str) -> int:
    """Index in `PHONES`; `UNKNOWN` for a name that is not ARPAbet."""
    bare = name.upper().rstrip("012")
    bare = SPELLINGS.get(bare, bare)
    return PHONES.index(bare) if bare in PHONES else UNKNOWN


def speak(text: str, voice: str, wav: Path) -> list[tuple[str, float, float]]:
    """Synthesise `text` into `wav` with flite; return its phones as (name, start_s, duration_s)."""
    if shutil.which("flite") is None:
        raise FileNotFoundError("flite is not installed: apt-get install flite")
    command = ["flite", "-voice", voice, "-psdur", "-t", text, "-o", str(wav)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    phones, start_s = [], 0.0
    for word in printed.split():
        name, end_s = word.rsplit(":", 1)
        phones.append((name.upper(), start_s, round(float(end_s) - start_s, 3)))
        start_s = float(end_s)
    return phones


def synthesise(folder: Path, sentences: int, seed: int = 0) -> list[Clip]:
    """Random sentences of 4 to 10 words in four voices, kept in `folder` and made only once."""
    manifest = folder / f"phones-{sentences}-{seed}.json"
    if not manifest.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        draw = random.Random(seed)
        rows = []
        for k in range(sentences):
            text = " ".join(draw.choices(WORDS, k=draw.randint(4, 10)))
            phones = speak(text, VOICES[k % len(VOICES)], folder / f"{k}.wav")
            rows.append({"id": str(k), "text": text, "voice": VOICES[k % len(VOICES)], "phones": phones})
        manifest.write_text(json.dumps(rows), encoding="utf-8")
    return [_synthetic_clip(folder, row) for row in json.loads(manifest.read_text(encoding="utf-8"))]


def _synthetic_clip(folder: Path, row: dict) -> Clip:
    phones = tuple(tuple(p) for p in row["phones"])
    seconds = phones[-1][1] + phones[-1][2]
    voice = f"flite_{row['voice']}"
    return Clip(folder, row["id"], "flite", "train", voice, "neutral", f"{row['id']}.wav", seconds, "synthetic", phones=phones)
