// HTTP/2 framing and HPACK: the reference implementation (nghttp2.org), as the system has it.
#pragma once
#include <nghttp2/nghttp2.h>
