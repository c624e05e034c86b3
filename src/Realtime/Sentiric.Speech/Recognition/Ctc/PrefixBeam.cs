namespace Sentiric.Speech;

/// <summary>How the decoder weighs sound against language.</summary>
internal sealed record BeamWeights(int Width, float LanguageWeight, float LetterBonus);

/// <summary>A reading of the utterance with its score (natural logarithm, only comparable within one utterance) and its frames.</summary>
internal readonly record struct Reading(int[] Symbols, double Score, int FirstFrame, int LastFrame);

/// <summary>
/// CTC prefix beam search (Hannun et al., 2014) with a letter language model: keeps the best prefixes of the text, each with the probability
/// that its last frame was a blank or not, so "aa" and "a" stay apart. The prefixes form a tree in one array: no allocation per frame.
/// One per session, one thread at a time.
/// </summary>
internal sealed class PrefixBeam
{
    /// <summary>Bound of the tree. When it is full, the best prefix is taken as settled and the search goes on from its end.</summary>
    public const int MaxNodes = 32_768;

    private const int Root = 0;
    private const int None = -1;
    private const int FirstNodes = 1024;

    // a letter less likely than this (natural logarithm) in a frame is not tried
    private const float CandidateFloor = -7f;
    private readonly BeamWeights weights;
    private readonly List<int> settled = [];
    private readonly List<int> beam = [];
    private readonly List<int> next = [];
    private readonly Comparison<int> byScore;
    private CharGrams language;
    private Node[] nodes = new Node[FirstNodes];
    private int nodeCount;
    private int frame;
    private double bestTotal;
    private int settledFirstFrame;

    public PrefixBeam(CharGrams language, BeamWeights weights)
    {
        this.language = language;
        this.weights = weights;
        byScore = (a, b) => nodes[b].Score.CompareTo(nodes[a].Score);
        Reset();
    }

    /// <summary>Changes whenever the best prefix does; cheap to compare after every frame.</summary>
    public (int Settled, int Node) BestMark => (settled.Count, beam[0]);

    public void Reset()
    {
        settled.Clear();
        frame = 0;
        settledFirstFrame = None;
        StartTree(language.Start);
    }

    public void Use(CharGrams model)
    {
        language = model;
        Reset();
    }

    /// <summary>Takes one frame of log probabilities, blank first.</summary>
    public void Step(ReadOnlySpan<float> logProbabilities)
    {
        EnsureRoom(logProbabilities.Length * weights.Width);
        next.Clear();
        bestTotal = BestTotal();
        foreach (int node in beam)
        {
            Stay(node, logProbabilities);
            Extend(node, logProbabilities);
        }

        Advance();
        frame++;
    }

    /// <summary>The best readings, best first, with the chance of a word end counted in.</summary>
    public IEnumerable<Reading> Readings()
    {
        var ended = new List<(int Node, double Score)>(beam.Count);
        foreach (int node in beam)
        {
            ended.Add((node, nodes[node].Score + EndScore(node)));
        }

        ended.Sort((a, b) => b.Score.CompareTo(a.Score));
        return ended.Select(end => ReadingOf(end.Node, end.Score));
    }

    public int[] BestSymbols() => ReadingOf(beam[0], 0).Symbols;

    private void StartTree(ulong history)
    {
        nodes[Root] = new Node { Parent = None, FirstChild = None, NextSibling = None, Symbol = language.Space, History = history };
        nodes[Root].NonBlank = nodes[Root].NextBlank = nodes[Root].NextNonBlank = double.NegativeInfinity;
        nodeCount = 1;
        beam.Clear();
        beam.Add(Root);
    }

    /// <summary>The same prefix again: by a blank, or by its last letter going on.</summary>
    private void Stay(int index, ReadOnlySpan<float> log)
    {
        ref var node = ref nodes[index];
        node.NextBlank = LogAdd(node.NextBlank, Total(node) + log[0]);
        if (index != Root)
        {
            node.NextNonBlank = LogAdd(node.NextNonBlank, node.NonBlank + log[node.Symbol + 1]);
        }

        Enlist(index);
    }

    private void Extend(int index, ReadOnlySpan<float> log)
    {
        double total = Total(nodes[index]);
        double blank = nodes[index].Blank;
        int last = nodes[index].Symbol;
        for (int symbol = 0; symbol < log.Length - 1; symbol++)
        {
            if (log[symbol + 1] <= CandidateFloor || (symbol == last && symbol == language.Space))
            {
                continue;
            }

            // the same letter twice needs a blank between
            double source = symbol == last && index != Root ? blank : total;
            if (double.IsNegativeInfinity(source))
            {
                continue;
            }

            int child = ChildOf(index, symbol);
            ref var node = ref nodes[child];
            double arriving = source + log[symbol + 1];
            node.NextNonBlank = LogAdd(node.NextNonBlank, arriving);
            if (arriving - bestTotal > node.Peak)
            {
                node.Peak = arriving - bestTotal;
                node.Frame = frame;
            }

            Enlist(child);
        }
    }

    private int ChildOf(int parent, int symbol)
    {
        for (int child = nodes[parent].FirstChild; child != None; child = nodes[child].NextSibling)
        {
            if (nodes[child].Symbol == symbol)
            {
                return child;
            }
        }

        ref var node = ref nodes[nodeCount];
        ulong history = nodes[parent].History;
        node = new Node
        {
            Parent = parent,
            FirstChild = None,
            NextSibling = nodes[parent].FirstChild,
            Symbol = symbol,
            Peak = double.NegativeInfinity,
            History = language.Push(history, symbol),
            Language = nodes[parent].Language + (weights.LanguageWeight * language.LogProbability(history, symbol)) + weights.LetterBonus,
            Blank = double.NegativeInfinity,
            NonBlank = double.NegativeInfinity,
            NextBlank = double.NegativeInfinity,
            NextNonBlank = double.NegativeInfinity,
        };
        nodes[parent].FirstChild = nodeCount;
        return nodeCount++;
    }

    private double BestTotal()
    {
        double best = double.NegativeInfinity;
        foreach (int node in beam)
        {
            best = Math.Max(best, Total(nodes[node]));
        }

        return best;
    }

    private void Enlist(int index)
    {
        if (!nodes[index].Listed)
        {
            nodes[index].Listed = true;
            next.Add(index);
        }
    }

    /// <summary>Makes the next frame the current one and keeps the best prefixes.</summary>
    private void Advance()
    {
        foreach (int index in next)
        {
            ref var node = ref nodes[index];
            (node.Blank, node.NonBlank) = (node.NextBlank, node.NextNonBlank);
            node.NextBlank = node.NextNonBlank = double.NegativeInfinity;
            node.Score = Total(node) + node.Language;
            node.Listed = false;
        }

        next.Sort(byScore);
        beam.Clear();
        for (int i = 0; i < next.Count; i++)
        {
            if (i < weights.Width)
            {
                beam.Add(next[i]);
            }
            else
            {
                nodes[next[i]].Blank = nodes[next[i]].NonBlank = double.NegativeInfinity;
            }
        }
    }

    private void EnsureRoom(int needed)
    {
        if (nodeCount + needed <= nodes.Length)
        {
            return;
        }

        if (nodes.Length < MaxNodes)
        {
            Array.Resize(ref nodes, Math.Min(MaxNodes, nodes.Length * 2));
            return;
        }

        Settle();
    }

    private void Settle()
    {
        var best = ReadingOf(beam[0], 0);
        settledFirstFrame = best.FirstFrame;
        settled.Clear();
        settled.AddRange(best.Symbols);
        StartTree(nodes[beam[0]].History);
    }

    private Reading ReadingOf(int index, double score)
    {
        var symbols = new List<int>(settled);
        int firstFrame = settledFirstFrame;
        int lastFrame = index == Root ? firstFrame : nodes[index].Frame;
        int at = settled.Count;
        for (int node = index; node != Root; node = nodes[node].Parent)
        {
            symbols.Add(nodes[node].Symbol);
            firstFrame = settledFirstFrame == None ? nodes[node].Frame : settledFirstFrame;
        }

        symbols.Reverse(at, symbols.Count - at);
        return new Reading([.. symbols], score, Math.Max(0, firstFrame), Math.Max(0, lastFrame));
    }

    private double EndScore(int index) =>
        nodes[index].Symbol == language.Space ? 0 : weights.LanguageWeight * language.LogProbability(nodes[index].History, language.Space);

    private static double Total(in Node node) => LogAdd(node.Blank, node.NonBlank);

    internal static double LogAdd(double a, double b)
    {
        if (a < b)
        {
            (a, b) = (b, a);
        }

        return double.IsNegativeInfinity(b) ? a : a + Math.Log(1 + Math.Exp(b - a));
    }

    private struct Node
    {
        public int Parent;
        public int FirstChild;
        public int NextSibling;
        public int Symbol;

        // the frame in which the letter came in strongest, and how strong that was beside the best prefix of the time
        public int Frame;
        public double Peak;
        public float Language;
        public bool Listed;
        public ulong History;
        public double Score;
        public double Blank;
        public double NonBlank;
        public double NextBlank;
        public double NextNonBlank;
    }
}
