// libcurl's types and constants, and wrappers that make its variadic functions callable from Swift. Nothing is linked:
// the library is loaded on first use of the network, so that other runs do not wait for it and its thirty dependencies
// (8 ms).
#include <curl/curl.h>

typedef CURLcode (*mlm_curl_setopt)(CURL *, CURLoption, ...);
typedef CURLcode (*mlm_curl_getinfo)(CURL *, CURLINFO, ...);

static inline CURLcode mlm_curl_set_number(void *setopt, CURL *handle, CURLoption option, long value) {
  return ((mlm_curl_setopt)setopt)(handle, option, value);
}
static inline CURLcode mlm_curl_set_pointer(void *setopt, CURL *handle, CURLoption option, const void *value) {
  return ((mlm_curl_setopt)setopt)(handle, option, value);
}
static inline CURLcode mlm_curl_set_data_callback(void *setopt, CURL *handle, CURLoption option,
                                                  curl_write_callback value) {
  return ((mlm_curl_setopt)setopt)(handle, option, value);
}
static inline CURLcode mlm_curl_set_progress_callback(void *setopt, CURL *handle, curl_xferinfo_callback value) {
  return ((mlm_curl_setopt)setopt)(handle, CURLOPT_XFERINFOFUNCTION, value);
}
static inline CURLcode mlm_curl_get_number(void *getinfo, CURL *handle, CURLINFO info, long *value) {
  return ((mlm_curl_getinfo)getinfo)(handle, info, value);
}
static inline CURLcode mlm_curl_get_offset(void *getinfo, CURL *handle, CURLINFO info, curl_off_t *value) {
  return ((mlm_curl_getinfo)getinfo)(handle, info, value);
}
