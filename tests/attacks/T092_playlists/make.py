"""Playlists, a concat list, SDP and XML that name files and hosts: a program that plays them reads there."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile import write


def make(subjects: Path, random: Random) -> None:
    bait = subjects.parent / "bait/secret.txt"
    for name, text in {
        "hls": f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1.0,\nfile://{bait}\n#EXT-X-ENDLIST\n",
        "m3u": "#EXTM3U\nhttp://127.0.0.1:9/x.wav\n",
        "concat": f"ffconcat version 1.0\nfile '{bait}'\n",
        "pls": "[playlist]\nFile1=http://127.0.0.1:9/x.wav\nNumberOfEntries=1\n",
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n",
        "xml": f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file://{bait}">]><a>&b;</a>',
        "asx": '<asx version="3.0"><entry><ref href="http://127.0.0.1:9/x.wav"/></entry></asx>',
    }.items():
        write(subjects / name, text.encode())
