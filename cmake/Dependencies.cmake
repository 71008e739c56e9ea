# What libmrcnn is built upon, as one list of targets: MRCNN_DEPENDENCIES. The build uses it, and so
# does the installed package of a static library, whose users link these themselves.
# Reads MRCNN_WITH_CAIRO, MRCNN_WITH_VIDEO and MRCNN_WITH_CURL.
find_package(PkgConfig REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS C)
find_package(JPEG REQUIRED)
find_package(PNG REQUIRED)
find_package(HDF5 REQUIRED COMPONENTS C)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(YAJL REQUIRED IMPORTED_TARGET yajl)                   # JSON, event by event
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c) # TensorBoard's files

# Not by oneDNN's own CMake package: Debian's fails where no OpenCL headers are installed, and then
# takes the whole configuration with it.
if(NOT TARGET DNNL::dnnl)
  find_path(DNNL_INCLUDE_DIR dnnl.h REQUIRED)
  find_library(DNNL_LIBRARY dnnl REQUIRED)
  add_library(DNNL::dnnl UNKNOWN IMPORTED)
  set_target_properties(DNNL::dnnl PROPERTIES IMPORTED_LOCATION "${DNNL_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${DNNL_INCLUDE_DIR}")
endif()

set(MRCNN_DEPENDENCIES OpenMP::OpenMP_C DNNL::dnnl JPEG::JPEG PNG::PNG hdf5::hdf5 PkgConfig::YAML
  PkgConfig::YAJL PkgConfig::PROTOBUF_C m)
if(MRCNN_WITH_CAIRO)
  pkg_check_modules(CAIRO REQUIRED IMPORTED_TARGET cairo)
  list(APPEND MRCNN_DEPENDENCIES PkgConfig::CAIRO)
endif()
if(MRCNN_WITH_VIDEO)
  pkg_check_modules(FFMPEG REQUIRED IMPORTED_TARGET libavformat libavcodec libswscale libavutil)
  list(APPEND MRCNN_DEPENDENCIES PkgConfig::FFMPEG)
endif()
if(MRCNN_WITH_CURL)
  find_package(CURL REQUIRED)
  find_package(OpenSSL REQUIRED) # libcrypto, for the checksums of downloads
  list(APPEND MRCNN_DEPENDENCIES CURL::libcurl OpenSSL::Crypto)
endif()
