/* color.c - see color.h. */
#include "video/color.h"

#ifdef MRCNN_WITH_VIDEO

mr_video_color mr_color_by_size(int width, int height) {
    static const mr_video_color high = {AVCOL_SPC_BT709, AVCOL_PRI_BT709, AVCOL_TRC_BT709};
    static const mr_video_color standard = {AVCOL_SPC_SMPTE170M, AVCOL_PRI_SMPTE170M,
                                            AVCOL_TRC_SMPTE170M};
    return width >= 1280 || height > 576 ? high : standard;
}

static int is_known_matrix(enum AVColorSpace matrix) {
    switch (matrix) {
    case AVCOL_SPC_BT709:
    case AVCOL_SPC_FCC:
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
    case AVCOL_SPC_SMPTE240M:
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL: return 1;
    default: return 0;
    }
}

mr_video_color mr_color_of_frame(const AVFrame *frame) {
    mr_video_color color = mr_color_by_size(frame->width, frame->height);
    if (is_known_matrix(frame->colorspace)) {
        color.matrix = frame->colorspace;
        if (color.matrix == AVCOL_SPC_BT709)
            color = mr_color_by_size(1920, 1080);
        else if (color.matrix == AVCOL_SPC_SMPTE170M)
            color = mr_color_by_size(720, 480);
    }
    if (frame->color_primaries != AVCOL_PRI_UNSPECIFIED) color.primaries = frame->color_primaries;
    if (frame->color_trc != AVCOL_TRC_UNSPECIFIED) color.transfer = frame->color_trc;
    return color;
}

const int *mr_color_table(enum AVColorSpace matrix) {
    switch (matrix) { /* swscale's numbers are those of the standard, as AVColorSpace's are */
    case AVCOL_SPC_BT709: return sws_getCoefficients(SWS_CS_ITU709);
    case AVCOL_SPC_FCC: return sws_getCoefficients(SWS_CS_FCC);
    case AVCOL_SPC_SMPTE240M: return sws_getCoefficients(SWS_CS_SMPTE240M);
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL: return sws_getCoefficients(SWS_CS_BT2020);
    default: return sws_getCoefficients(SWS_CS_ITU601);
    }
}

enum AVPixelFormat mr_plain_format(enum AVPixelFormat format, int *full) {
    static const struct {
        enum AVPixelFormat old, plain;
    } formats[] = {{AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUV420P},
                   {AV_PIX_FMT_YUVJ422P, AV_PIX_FMT_YUV422P},
                   {AV_PIX_FMT_YUVJ444P, AV_PIX_FMT_YUV444P},
                   {AV_PIX_FMT_YUVJ440P, AV_PIX_FMT_YUV440P},
                   {AV_PIX_FMT_YUVJ411P, AV_PIX_FMT_YUV411P}};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i].old == format) {
            *full = 1;
            return formats[i].plain;
        }
    return format;
}

#endif
