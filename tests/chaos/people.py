"""Ten thousand people whose numbers belong to nobody, as a file with the evidence of their consent."""

import csv
from pathlib import Path

# Geographic area codes; 555-0100 to 555-0199 of each is reserved for fiction. Our own number's code is left out.
AREA_CODES = """
201 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 220 223 224 225 227 228 229 231 234 235 239 240 248
251 252 253 254 256 260 262 267 269 270 272 274 276 279 281 283 301 302 303 304 305 307 308 309 310 312 313 314 315
316 317 318 319 320 321 323 324 325 326 327 329 330 331 332 334 336 337 339 341 346 347 350 351 352 353 360 361 363
364 369 380 385 386 401 402 404 405 406 407 408 409
"""
NUMBERS = [f"+1{code}55501{last:02d}" for code in AREA_CODES.split() for last in range(100)]

EVERYBODY, SOME = "Everybody", "Some"
SOME_NUMBERS = NUMBERS[:2500]


def write_people(path: Path, numbers: list[str]) -> None:
    """Write the CSV that an operator imports: when, where and in which words each of them agreed."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["number", "consent_at", "consent_source", "consent_text"])
        for number in numbers:
            writer.writerow(
                [number, "2026-05-01T10:00", "sign-up sheet, town fair", "Yes, text me the news."]
            )
