using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using System.Runtime.InteropServices;

namespace Sentiric.Media;

/// <summary>
/// A lossless FLAC stream (RFC 9639) of 16-bit samples: blocks of half a second, per channel the best of the five fixed predictors
/// (section 9.2.5), residuals in Rice partitions (9.2.7). Telephone audio comes to about half its size; silence to almost nothing.
/// Not thread-safe.
/// <code> "fLaC" | STREAMINFO | frame: header CRC-8 | subframe per channel | padding | CRC-16 | frame … </code>
/// </summary>
internal sealed class FlacEncoder : IRecordingEncoder, IDisposable
{
    public const int BlockSamples = 4_000;
    private const int StreamInfoBytes = 34;
    private const int Bits = 16;
    private const int MaxOrder = 4;
    private const int MaxPartitionOrder = 5;   // 4,000 = 2^5 x 125: every partition order up to here divides a block
    private const int MaxRice = 14;            // 15 is the escape of 4-bit parameters
    public const int HeadSize = 4 + 4 + StreamInfoBytes;

    private readonly int channels, sampleRate;
    private readonly int[][] pending;
    private readonly int[] residual = new int[BlockSamples], trial = new int[BlockSamples];
    private readonly int[] rice = new int[1 << MaxPartitionOrder], tried = new int[1 << MaxPartitionOrder];
    private readonly BitWriter bits = new(BlockSamples * 2 * 4 + 64);
    private readonly IncrementalHash md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
    private readonly byte[] digest = new byte[MD5.HashSizeInBytes];
    private int waiting, smallestFrame, largestFrame;
    private long frames;

    /// <param name="channels">1 to 8.</param>
    /// <param name="sampleRate">Hertz, below 2^20.</param>
    public FlacEncoder(int channels, int sampleRate)
    {
        (this.channels, this.sampleRate) = (channels, sampleRate);
        pending = [.. Enumerable.Range(0, channels).Select(_ => new int[BlockSamples])];
    }

    public long EncodedSamples { get; private set; }

    public void Encode(ReadOnlySpan<short> interleaved, IBufferWriter<byte> to)
    {
        md5.AppendData(MemoryMarshal.AsBytes(interleaved)); // of the unencoded little-endian samples (8.2)
        for (var i = 0; i < interleaved.Length; i += channels)
        {
            for (var channel = 0; channel < channels; channel++) pending[channel][waiting] = interleaved[i + channel];
            if (++waiting == BlockSamples) WriteFrame(to);
        }
    }

    public void Flush(IBufferWriter<byte> to)
    {
        if (waiting > 0) WriteFrame(to);
    }

    /// <summary>Unknown length: decoders read to the end of the file.</summary>
    public byte[] OpenHead(long audioBytes) => HeadOfCut(0);

    /// <summary>RFC 9639 8.2: block sizes 16+16, frame sizes 24+24, rate 20, channels 3, bits 5, samples 36, MD5 128.</summary>
    public byte[] Head(long audioBytes)
    {
        md5.GetCurrentHash(digest);
        return MakeHead(EncodedSamples, smallestFrame, largestFrame, channels, sampleRate, digest);
    }

    /// <summary>The head of a stream that was cut: sizes of frames and MD5 are unknown, which zeros say.</summary>
    public static byte[] HeadOfCut(long samples) => MakeHead(samples, 0, 0, CallRecording.Channels, Tone.SampleRate, new byte[MD5.HashSizeInBytes]);

    private static byte[] MakeHead(long samples, int smallestFrame, int largestFrame, int channels, int sampleRate, ReadOnlySpan<byte> md5)
    {
        var head = new byte[HeadSize];
        "fLaC"u8.CopyTo(head);
        head[4] = 0x80;                       // the last metadata block, of type STREAMINFO
        head[7] = StreamInfoBytes;
        var info = head.AsSpan(8);
        BinaryPrimitives.WriteUInt16BigEndian(info, BlockSamples);
        BinaryPrimitives.WriteUInt16BigEndian(info[2..], BlockSamples);
        Write24(info[4..], smallestFrame);
        Write24(info[7..], largestFrame);
        var packed = ((ulong)sampleRate << 44) | ((ulong)(channels - 1) << 41) | ((ulong)(Bits - 1) << 36) | ((ulong)samples & 0xF_FFFF_FFFF);
        BinaryPrimitives.WriteUInt64BigEndian(info[10..], packed);
        md5.CopyTo(info[18..]);
        return head;
    }

    public void Dispose() => md5.Dispose();

    private void WriteFrame(IBufferWriter<byte> to)
    {
        bits.Clear();
        WriteHeader();
        for (var channel = 0; channel < channels; channel++) WriteSubframe(pending[channel].AsSpan(0, waiting));
        bits.AlignToByte();
        bits.Write(Crc16(bits.Bytes), 16);
        to.Write(bits.Bytes);
        var size = bits.Bytes.Length;
        (smallestFrame, largestFrame) = (frames == 0 ? size : Math.Min(smallestFrame, size), Math.Max(largestFrame, size));
        EncodedSamples += waiting;
        frames++;
        waiting = 0;
    }

    // 9.1: sync code, fixed block size; block size in 16 bits behind, rate from STREAMINFO, independent channels, 16 bits.
    private void WriteHeader()
    {
        bits.Write(0xFFF8, 16);
        bits.Write(0b0111_0000, 8);
        bits.Write((uint)(channels - 1) << 4 | 0b100 << 1, 8);
        WriteCodedNumber((ulong)frames);
        bits.Write((uint)(waiting - 1), 16);
        bits.Write(Crc8(bits.Bytes), 8);
    }

    // 9.1.5: numbers in the manner of UTF-8, up to 36 bits.
    private void WriteCodedNumber(ulong number)
    {
        if (number < 0x80)
        {
            bits.Write((uint)number, 8);
            return;
        }
        var followers = 1;
        while (number >= 1UL << (6 * followers + 6 - followers)) followers++;
        var lead = (0xFF00u >> (followers + 1)) & 0xFF;
        bits.Write(lead | (uint)(number >> (6 * followers)), 8);
        for (var i = followers - 1; i >= 0; i--) bits.Write(0x80 | (uint)(number >> (6 * i)) & 0x3F, 8);
    }

    private void WriteSubframe(ReadOnlySpan<int> block)
    {
        if (block.IndexOfAnyExcept(block[0]) < 0)
        {
            bits.Write(0, 8);                                  // 9.2.3: one value for the whole block
            bits.Write((uint)block[0] & 0xFFFF, Bits);
            return;
        }
        var (order, partitions, size) = Choose(block);
        if (size >= (long)block.Length * Bits)
        {
            bits.Write(0b0000_0010, 8);                        // 9.2.4: verbatim
            foreach (var sample in block) bits.Write((uint)sample & 0xFFFF, Bits);
            return;
        }
        bits.Write((uint)(0b001000 | order) << 1, 8);
        foreach (var sample in block[..order]) bits.Write((uint)sample & 0xFFFF, Bits);
        WriteResidual(block.Length, order, partitions);
    }

    // The fixed predictor whose residual takes the fewest bits; residual and rice hold its numbers afterwards.
    private (int Order, int PartitionOrder, long Bits) Choose(ReadOnlySpan<int> block)
    {
        var best = (Order: -1, PartitionOrder: 0, Bits: long.MaxValue);
        for (var order = 0; order <= Math.Min(MaxOrder, block.Length - 1); order++)
        {
            Predict(block, order, trial);
            var (partitionOrder, size) = Partition(block.Length, order);
            size += (long)order * Bits;
            if (size >= best.Bits) continue;
            best = (order, partitionOrder, size);
            trial.AsSpan(0, block.Length).CopyTo(residual);
            tried.CopyTo(rice.AsSpan());
        }
        return best;
    }

    private static void Predict(ReadOnlySpan<int> block, int order, Span<int> into)
    {
        for (var i = order; i < block.Length; i++)
        {
            into[i] = order switch
            {
                0 => block[i],
                1 => block[i] - block[i - 1],
                2 => block[i] - 2 * block[i - 1] + block[i - 2],
                3 => block[i] - 3 * block[i - 1] + 3 * block[i - 2] - block[i - 3],
                _ => block[i] - 4 * block[i - 1] + 6 * block[i - 2] - 4 * block[i - 3] + block[i - 4],
            };
        }
    }

    private (int PartitionOrder, long Bits) Partition(int length, int order)
    {
        var best = (PartitionOrder: 0, Bits: long.MaxValue);
        Span<int> parameters = stackalloc int[1 << MaxPartitionOrder];
        for (var partitionOrder = 0; partitionOrder <= MaxPartitionOrder; partitionOrder++)
        {
            var each = length >> partitionOrder;
            if (each << partitionOrder != length || each <= order) break;
            long size = 0;
            for (var p = 0; p < 1 << partitionOrder; p++)
            {
                var from = p == 0 ? order : p * each;
                (parameters[p], var bits) = RiceOf(trial.AsSpan(from, (p + 1) * each - from));
                size += bits + 4;
            }
            if (size >= best.Bits) continue;
            best = (partitionOrder, size);
            parameters.CopyTo(tried);
        }
        return best;
    }

    // The parameter near the mean is best or next to best for what is distributed like a residual.
    private static (int Parameter, long Bits) RiceOf(ReadOnlySpan<int> values)
    {
        var sum = 0UL;
        foreach (var value in values) sum += Fold(value);
        var guess = values.Length == 0 || sum < (ulong)values.Length ? 0 : Math.Min(MaxRice, BitOperations.Log2((uint)(sum / (ulong)values.Length)));
        var (best, least) = (guess, long.MaxValue);
        for (var parameter = Math.Max(0, guess - 1); parameter <= Math.Min(MaxRice, guess + 1); parameter++)
        {
            var size = (long)values.Length * (parameter + 1);
            foreach (var value in values) size += Fold(value) >> parameter;
            if (size < least) (best, least) = (parameter, size);
        }
        return (best, least);
    }

    private void WriteResidual(int length, int order, int partitionOrder)
    {
        bits.Write(0, 2);                                      // 4-bit Rice parameters
        bits.Write((uint)partitionOrder, 4);
        var each = length >> partitionOrder;
        for (var p = 0; p < 1 << partitionOrder; p++)
        {
            bits.Write((uint)rice[p], 4);
            for (var i = p == 0 ? order : p * each; i < (p + 1) * each; i++) bits.WriteRice(Fold(residual[i]), rice[p]);
        }
    }

    private static uint Fold(int value) => (uint)(value << 1) ^ (uint)(value >> 31);

    private static void Write24(Span<byte> to, int value)
    {
        to[0] = (byte)(value >> 16);
        to[1] = (byte)(value >> 8);
        to[2] = (byte)value;
    }

    // 9.1.8: x^8 + x^2 + x + 1
    private static uint Crc8(ReadOnlySpan<byte> bytes)
    {
        var crc = 0u;
        foreach (var octet in bytes)
        {
            crc ^= octet;
            for (var i = 0; i < 8; i++) crc = (crc & 0x80) != 0 ? (crc << 1 ^ 0x07) & 0xFF : crc << 1 & 0xFF;
        }
        return crc;
    }

    private static readonly ushort[] Crc16Table = MakeCrc16Table();

    // 9.3: x^16 + x^15 + x^2 + 1
    private static ushort[] MakeCrc16Table()
    {
        var table = new ushort[256];
        for (var i = 0; i < 256; i++)
        {
            var crc = (uint)i << 8;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 0x8000) != 0 ? crc << 1 ^ 0x8005 : crc << 1;
            table[i] = (ushort)crc;
        }
        return table;
    }

    private static uint Crc16(ReadOnlySpan<byte> bytes)
    {
        var crc = 0u;
        foreach (var octet in bytes) crc = (crc << 8 ^ Crc16Table[(crc >> 8 ^ octet) & 0xFF]) & 0xFFFF;
        return crc;
    }

    /// <summary>Most significant bit first.</summary>
    private sealed class BitWriter(int capacity)
    {
        private byte[] bytes = new byte[capacity];
        private ulong accumulator;
        private int held, length;

        public ReadOnlySpan<byte> Bytes => bytes.AsSpan(0, length);

        public void Clear() => (accumulator, held, length) = (0, 0, 0);

        public void Write(uint value, int count)
        {
            accumulator = accumulator << count | value;
            held += count;
            while (held >= 8)
            {
                held -= 8;
                if (length == bytes.Length) Array.Resize(ref bytes, 2 * length);
                bytes[length++] = (byte)(accumulator >> held);
            }
        }

        public void WriteRice(uint folded, int parameter)
        {
            for (var quotient = folded >> parameter; ; quotient -= 16)
            {
                if (quotient < 16)
                {
                    Write(1, (int)quotient + 1);
                    break;
                }
                Write(0, 16);
            }
            if (parameter > 0) Write(folded & ((1u << parameter) - 1), parameter);
        }

        public void AlignToByte()
        {
            if (held > 0) Write(0, 8 - held);
        }
    }
}
