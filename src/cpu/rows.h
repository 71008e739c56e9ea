/* rows.h - for kernels that keep so many rows of sums in registers: ROWS_n(DO) is DO(0) .. DO(n - 1), so that each row's
 * sums have names. EACH_OF_14(DO) is DO(1) .. DO(14). */
#ifndef MR_CPU_ROWS_H
#define MR_CPU_ROWS_H

#define ROWS_1(DO) DO(0)
#define ROWS_2(DO) ROWS_1(DO) DO(1)
#define ROWS_3(DO) ROWS_2(DO) DO(2)
#define ROWS_4(DO) ROWS_3(DO) DO(3)
#define ROWS_5(DO) ROWS_4(DO) DO(4)
#define ROWS_6(DO) ROWS_5(DO) DO(5)
#define ROWS_7(DO) ROWS_6(DO) DO(6)
#define ROWS_8(DO) ROWS_7(DO) DO(7)
#define ROWS_9(DO) ROWS_8(DO) DO(8)
#define ROWS_10(DO) ROWS_9(DO) DO(9)
#define ROWS_11(DO) ROWS_10(DO) DO(10)
#define ROWS_12(DO) ROWS_11(DO) DO(11)
#define ROWS_13(DO) ROWS_12(DO) DO(12)
#define ROWS_14(DO) ROWS_13(DO) DO(13)

#define EACH_OF_14(DO) \
    DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13) DO(14)

#endif
