# What `cmake --install` puts where: program, library, headers, the model and the pictures that come along,
# manual pages, completion for shells, and the two ways to find the library again, find_package(mrcnn) and
# pkg-config.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/mrcnn)

# The installed program finds its library wherever the whole tree was put.
file(RELATIVE_PATH bin_to_lib /${CMAKE_INSTALL_BINDIR} /${CMAKE_INSTALL_LIBDIR})
set_target_properties(mrcnn_program PROPERTIES INSTALL_RPATH "$ORIGIN/${bin_to_lib}")

install(TARGETS mrcnn EXPORT mrcnnTargets)
install(TARGETS mrcnn_program)
install(DIRECTORY include/mrcnn DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY models DESTINATION ${CMAKE_INSTALL_DATADIR}/mrcnn)
install(DIRECTORY examples/nucleus DESTINATION ${CMAKE_INSTALL_DATADIR}/mrcnn/examples)
install(FILES LICENSE README.md README.zh-CN.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")

# The program writes its manual itself. One that is built for another machine can't do so here, unless an
# emulator is set; on that machine `mrcnn man --out` still can.
if(NOT CMAKE_CROSSCOMPILING OR CMAKE_CROSSCOMPILING_EMULATOR)
  set(manual ${PROJECT_BINARY_DIR}/man)
  add_custom_command(OUTPUT ${manual}/written
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${manual}
    COMMAND mrcnn_program man --out ${manual}
    COMMAND ${CMAKE_COMMAND} -E touch ${manual}/written
    DEPENDS mrcnn_program VERBATIM)
  add_custom_target(mrcnn_manual ALL DEPENDS ${manual}/written)
  install(DIRECTORY ${manual}/ DESTINATION ${CMAKE_INSTALL_MANDIR} FILES_MATCHING REGEX "/man[15]/")
endif()

# Where bash, zsh and fish look, below the same prefix.
set(shells src/cli/shell)
install(FILES ${shells}/mrcnn.bash RENAME mrcnn
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${shells}/mrcnn.zsh RENAME _mrcnn DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${shells}/mrcnn.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

# CMake: find_package(mrcnn) gives mrcnn::mrcnn. A static library names its dependencies there.
install(EXPORT mrcnnTargets NAMESPACE mrcnn:: DESTINATION ${package_dir})
configure_package_config_file(cmake/mrcnnConfig.cmake.in mrcnnConfig.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(mrcnnConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/mrcnnConfig.cmake ${PROJECT_BINARY_DIR}/mrcnnConfigVersion.cmake
  DESTINATION ${package_dir})
if(NOT BUILD_SHARED_LIBS)
  install(FILES cmake/Dependencies.cmake DESTINATION ${package_dir} RENAME mrcnnDependencies.cmake)
endif()

# pkg-config: what a static library needs stands under Requires and Libs, not under their .private
# forms: `--static` would go on to the static closures of cairo and libcurl, whose parts are rarely
# installed, though only libmrcnn itself is static.
set(pc_requires "")
set(pc_libs "")
if(NOT BUILD_SHARED_LIBS)
  set(pc_requires "yaml-0.1 yajl libprotobuf-c libjpeg libpng$<$<BOOL:${MRCNN_WITH_CAIRO}>: cairo>$<$<BOOL:${MRCNN_WITH_VIDEO}>: libavformat libavcodec libswscale libavutil>$<$<BOOL:${MRCNN_WITH_CURL}>: libcurl libcrypto>")
  list(JOIN HDF5_C_LIBRARIES " " hdf5_libraries)
  set(pc_libs " $<TARGET_FILE:DNNL::dnnl> ${hdf5_libraries} ${OpenMP_C_FLAGS} -lm")
endif()
file(RELATIVE_PATH pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
configure_file(cmake/mrcnn.pc.in mrcnn.pc.configured @ONLY)
file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/mrcnn.pc INPUT ${PROJECT_BINARY_DIR}/mrcnn.pc.configured)
install(FILES ${PROJECT_BINARY_DIR}/mrcnn.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
