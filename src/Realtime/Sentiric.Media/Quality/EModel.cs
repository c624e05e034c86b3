namespace Sentiric.Media;

/// <summary>
/// The reduced E-model of ITU-T G.107: R = 94.2 - Id - Ie,eff, and the opinion score (MOS) that R stands for.
/// Values for G.711 with loss concealment are of G.113 appendix I (Ie 0, Bpl 25.1).
/// </summary>
public static class EModel
{
    public const double Worst = 1;
    private const double BestR = 94.2;
    private const double EquipmentImpairment = 0;
    private const double LossRobustness = 25.1;

    /// <summary>Delay impairment starts to bite above this one-way delay.</summary>
    private const double ConversationalDelayMs = 177.3;

    /// <summary>R factor from one-way mouth-to-ear delay and packet loss in percent (random loss, BurstR 1).</summary>
    public static double R(double oneWayDelayMs, double lossPercent)
    {
        var delay = 0.024 * oneWayDelayMs + (oneWayDelayMs > ConversationalDelayMs ? 0.11 * (oneWayDelayMs - ConversationalDelayMs) : 0);
        var loss = EquipmentImpairment + (95 - EquipmentImpairment) * lossPercent / (lossPercent + LossRobustness);
        return Math.Clamp(BestR - delay - loss, 0, 100);
    }

    /// <summary>G.107 annex B: 1 (bad) to 4.5.</summary>
    public static double Mos(double r) => r switch
    {
        <= 0 => Worst,
        >= 100 => 4.5,
        _ => Math.Max(Worst, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6),
    };
}
