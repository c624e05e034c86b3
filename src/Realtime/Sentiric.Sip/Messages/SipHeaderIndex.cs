using System.Runtime.CompilerServices;

namespace Sentiric.Sip;

/// <summary>Which headers a message has: the first line of each kind, and what stands there more than once.</summary>
internal struct SipHeaderIndex
{
    private const int Ids = (int)SipHeaderId.UserAgent + 1;

    /// <summary>The number of the first line of each kind plus one; zero when there is none.</summary>
    private Places places;
    private uint seen;
    private uint repeated;

    public void Add(SipHeaderId id, int line)
    {
        uint bit = Bit(id);
        if ((seen & bit) != 0)
        {
            repeated |= bit;
            return;
        }

        seen |= bit;
        places[(int)id] = (byte)(line + 1);
    }

    /// <summary>-1 when there is none.</summary>
    public readonly int First(SipHeaderId id) => places[(int)id] - 1;

    /// <summary>The given kinds that are not there; none: zero.</summary>
    public readonly uint Missing(uint wanted) => wanted & ~seen;

    /// <summary>The given kinds that are there more than once; none: zero.</summary>
    public readonly uint Repeated(uint singles) => singles & repeated;

    public static uint Bit(SipHeaderId id) => 1u << (int)id;

    [InlineArray(Ids)]
    private struct Places
    {
        private byte first;
    }
}
