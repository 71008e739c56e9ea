/* page_style.c - how pages look: one column on a phone, contents beside the text on a wide screen, light
 * or dark. Only fonts that are there, nothing that would have to be fetched. */
#include "viz/page.h"

#define PALETTE                                                                              \
    ":root{--paper:#fafaf8;--card:#fff;--ink:#1d2126;--soft:#5b6470;--line:#e2e4e0;"         \
    "--accent:#1f6f8b;--good:#2e7d4f;--warning:#9a6700;--bad:#b3261e;--shade:#f1f2ee}\n"     \
    "@media (prefers-color-scheme:dark){:root{--paper:#14171a;--card:#1b1f23;--ink:#e4e7ea;" \
    "--soft:#98a2ad;--line:#2d333a;--accent:#6fbcd6;--good:#6cc48f;--warning:#e0b04c;"       \
    "--bad:#f08a80;--shade:#22272c}}\n"

#define LAYOUT                                                                           \
    "*{box-sizing:border-box}\n"                                                         \
    "html{-webkit-text-size-adjust:100%;scroll-padding-top:1rem}\n"                      \
    "body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,"   \
    "-apple-system,\"Segoe UI\",Roboto,\"Noto Sans\",\"DejaVu Sans\",sans-serif}\n"      \
    "header,.columns,footer{max-width:78rem;margin:0 auto;padding:0 1rem}\n"             \
    "header{padding-top:2rem}\n"                                                         \
    "h1{margin:0 0 .5rem;font-size:1.75rem;line-height:1.25;letter-spacing:-.01em;"      \
    "overflow-wrap:anywhere}\n"                                                          \
    "h2{margin:0 0 .25rem;font-size:1.3rem;line-height:1.3;overflow-wrap:anywhere}\n"    \
    "h3{margin:1.75rem 0 .25rem;font-size:1.05rem;overflow-wrap:anywhere}\n"             \
    "p{margin:.5rem 0;max-width:46rem;overflow-wrap:anywhere}\n"                         \
    ".about{color:var(--soft);margin-bottom:1rem}\n"                                     \
    "section{padding:1.75rem 0;border-top:1px solid var(--line)}\n"                      \
    "a{color:var(--accent);text-underline-offset:.15em}\n"                               \
    "nav ol{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:0 0 1.5rem;padding:0;" \
    "list-style:none}\n"                                                                 \
    "nav a{text-decoration:none}\nnav a:hover{text-decoration:underline}\n"              \
    "footer{padding-top:1rem;padding-bottom:2.5rem;color:var(--soft);font-size:.85rem}\n"

#define PARTS                                                                                    \
    "figure{margin:1rem 0}\n"                                                                    \
    "figcaption{color:var(--soft);font-size:.875rem;line-height:1.4;overflow-wrap:anywhere}\n"   \
    ".figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(10.5rem,1fr));"         \
    "gap:.75rem;margin:1rem 0}\n"                                                                \
    ".figures div{padding:.6rem .85rem;background:var(--card);border:1px solid var(--line);"     \
    "border-radius:.5rem}\n"                                                                     \
    "dt{color:var(--soft);font-size:.8rem;line-height:1.3}\n"                                    \
    "dd{margin:.15rem 0 0;font-size:1.2rem;font-weight:600;"                                     \
    "font-variant-numeric:tabular-nums;overflow-wrap:anywhere}\n"                                \
    "dd small{color:var(--soft);font-size:.8rem;font-weight:400}\n"                              \
    ".gallery{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,24rem),1fr));" \
    "gap:1rem;align-items:start;margin:1rem 0}\n"                                                \
    ".gallery figure{margin:0;min-width:0}\n.gallery .wide{grid-column:1/-1}\n"                  \
    ".gallery a{display:block}\n"                                                                \
    "img{display:block;max-width:100%;height:auto;border-radius:.4rem}\n"                        \
    ".gallery .picture img{max-height:36rem;width:auto}\n"                                       \
    ".picture img{background:var(--shade)}\n"                                                    \
    ".chart img{border:1px solid var(--line)}\n"                                                 \
    ".gallery figcaption{margin-top:.4rem}\n"                                                    \
    ".note{margin:1rem 0;padding:.35rem 1rem;max-width:48rem;background:var(--card);"            \
    "border:1px solid var(--line);border-left:.25rem solid var(--accent);border-radius:.4rem}\n" \
    ".note.good{border-left-color:var(--good)}\n"                                                \
    ".note.warning{border-left-color:var(--warning)}\n"                                          \
    ".note.bad{border-left-color:var(--bad)}\n"

#define TABLES                                                                             \
    ".table figcaption{margin-bottom:.4rem;color:var(--ink);font-weight:600}\n"            \
    ".scroll{overflow:auto;max-height:34rem;background:var(--card);"                       \
    "border:1px solid var(--line);border-radius:.5rem}\n"                                  \
    ".scroll:focus-visible{outline:2px solid var(--accent);outline-offset:1px}\n"          \
    "table{border-collapse:separate;border-spacing:0;width:100%;font-size:.9rem;"          \
    "font-variant-numeric:tabular-nums}\n"                                                 \
    "th,td{padding:.38rem .75rem;text-align:left;vertical-align:middle;"                   \
    "border-bottom:1px solid var(--line);white-space:nowrap}\n"                            \
    "td.long{white-space:normal;min-width:15rem;max-width:30rem;overflow-wrap:anywhere}\n" \
    "tbody tr:last-child td{border-bottom:0}\n"                                            \
    "th{position:sticky;top:0;background:var(--shade);color:var(--soft);font-weight:600;"  \
    "white-space:nowrap}\n"                                                                \
    ".number{text-align:right;white-space:nowrap}\n"                                       \
    "td.good{color:var(--good)}\ntd.warning{color:var(--warning)}\n"                       \
    "td.bad{color:var(--bad);font-weight:600}\n"                                           \
    ".bars{display:block}\n.bars path{fill:var(--accent)}\n"

#define SCREENS                                                                                 \
    "@media (min-width:64rem){.columns{display:grid;grid-template-columns:12rem minmax(0,1fr);" \
    "gap:2.5rem}\nnav{position:sticky;top:1rem;align-self:start;max-height:calc(100vh - 2rem);" \
    "overflow:auto;padding-top:1.75rem}\nnav ol{display:block}\nnav li{margin:.3rem "           \
    "0;overflow-wrap:anywhere;line-height:1.35}\n"                                              \
    "section:first-child{border-top:0}\n.gallery:has(>.picture:nth-child(3):last-child)"        \
    "{grid-template-columns:repeat(3,minmax(0,1fr))}}\n"                                        \
    "@media print{nav{display:none}.columns{display:block}.scroll{max-height:none;"             \
    "overflow:visible}figure{break-inside:avoid}}\n"

const char mr_page_style[] = PALETTE LAYOUT PARTS TABLES SCREENS;
