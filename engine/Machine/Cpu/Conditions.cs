using Iced.Intel;

namespace Pagoda.Machine.Cpu;

/// <summary>The sixteen conditions, by the low four bits of their opcodes.</summary>
internal static class Conditions
{
    // Over the index equal | below << 1 | less << 2: bit n says whether the condition holds at index n.
    private const int Equal = 0b1010_1010;
    private const int Below = 0b1100_1100;
    private const int Less = 0b1111_0000;

    /// <summary>Iced's code as the encoding.</summary>
    public static int Encoding(ConditionCode code) => code switch
    {
        ConditionCode.o => 0,
        ConditionCode.no => 1,
        ConditionCode.b => 2,
        ConditionCode.ae => 3,
        ConditionCode.e => 4,
        ConditionCode.ne => 5,
        ConditionCode.be => 6,
        ConditionCode.a => 7,
        ConditionCode.s => 8,
        ConditionCode.ns => 9,
        ConditionCode.p => 10,
        ConditionCode.np => 11,
        ConditionCode.l => 12,
        ConditionCode.ge => 13,
        ConditionCode.le => 14,
        _ => 15,
    };

    /// <summary>
    /// The truth table of a condition after a subtraction; -1 for overflow, sign and parity, which no order tells.
    /// </summary>
    public static int Truth(int condition)
    {
        int table = (condition >> 1) switch
        {
            1 => Below,
            2 => Equal,
            3 => Below | Equal,
            6 => Less,
            7 => Less | Equal,
            _ => -1,
        };
        if (table < 0) return -1;
        return (condition & 1) != 0 ? table ^ 0xFF : table;
    }

    /// <summary>
    /// The place of a condition in the interpreter's runs of ten: e, ne, b, ae, be, a, l, ge, le, g; -1 for others.
    /// </summary>
    public static int Order(int condition) => condition switch
    {
        4 => 0,
        5 => 1,
        2 => 2,
        3 => 3,
        6 => 4,
        7 => 5,
        12 => 6,
        13 => 7,
        14 => 8,
        15 => 9,
        _ => -1,
    };
}
