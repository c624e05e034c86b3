namespace Sentiric.Media;

/// <summary>
/// When the next report is due (RFC 3550 6.2, 6.3.1, A.7), for a call of two: the minimum interval rules, for 5 % of the bandwidth of
/// G.711 would allow two reports a second.
/// </summary>
internal static class RtcpSchedule
{
    /// <summary>A.7: e - 1.5, since intervals that are drawn at random and put off again come out too long.</summary>
    private const double Compensation = 2.71828 - 1.5;

    /// <param name="isFirst">6.2: half the interval, so that a call has figures soon.</param>
    /// <param name="dice">0 to 255: between half and one and a half of the interval, so that legs do not report in step.</param>
    public static long NextUs(TimeSpan interval, bool isFirst, byte dice) =>
        (long)(interval.TotalMicroseconds * (isFirst ? 0.5 : 1) * (0.5 + dice / 256.0) / Compensation);
}
