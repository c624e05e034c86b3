using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using HardwareAes = System.Runtime.Intrinsics.X86.Aes;

namespace Sentiric.Media;

/// <summary>
/// AES-128 in counter mode (RFC 3711 4.1.1): the last 16 bits of the block count. With the processor's AES instructions where there are
/// some: the framework's cipher costs four times as much for a packet of 160 bytes. Not thread-safe.
/// </summary>
internal sealed class AesCounter : IDisposable
{
    public const int BlockBytes = 16;
    private const int Rounds = 10;

    private readonly Vector128<byte>[] roundKeys = [];
    private readonly Aes? cipher;
    private readonly byte[] block = new byte[BlockBytes], stream = new byte[BlockBytes];

    public AesCounter(ReadOnlySpan<byte> key)
    {
        if (HardwareAes.IsSupported)
        {
            roundKeys = Expand(key);
            return;
        }
        cipher = Aes.Create();
        cipher.Key = key.ToArray();
    }

    /// <summary>Encrypts or decrypts; target may be the input itself. Longer than 2^16 blocks would repeat the key stream.</summary>
    public void Apply(ReadOnlySpan<byte> firstBlock, ReadOnlySpan<byte> input, Span<byte> target)
    {
        firstBlock.CopyTo(block);
        for (var (at, counter) = (0, 0); at < input.Length; at += BlockBytes, counter++)
        {
            block[14] = (byte)(counter >> 8);
            block[15] = (byte)counter;
            Encrypt();
            var count = Math.Min(BlockBytes, input.Length - at);
            if (count == BlockBytes) (Vector128.Create(input.Slice(at, BlockBytes)) ^ Vector128.Create<byte>(stream)).CopyTo(target[at..]);
            else for (var i = 0; i < count; i++) target[at + i] = (byte)(input[at + i] ^ stream[i]);
        }
    }

    public void Dispose()
    {
        cipher?.Dispose();
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(roundKeys.AsSpan()));
    }

    private void Encrypt()
    {
        if (cipher is not null)
        {
            cipher.EncryptEcb(block, stream, PaddingMode.None);
            return;
        }
        var state = Vector128.Create<byte>(block) ^ roundKeys[0];
        for (var i = 1; i < Rounds; i++) state = HardwareAes.Encrypt(state, roundKeys[i]);
        HardwareAes.EncryptLast(state, roundKeys[Rounds]).CopyTo(stream);
    }

    // FIPS 197 5.2; the instruction wants its round constant written out.
    private static Vector128<byte>[] Expand(ReadOnlySpan<byte> key)
    {
        var keys = new Vector128<byte>[Rounds + 1];
        keys[0] = Vector128.Create(key);
        keys[1] = Next(keys[0], HardwareAes.KeygenAssist(keys[0], 0x01));
        keys[2] = Next(keys[1], HardwareAes.KeygenAssist(keys[1], 0x02));
        keys[3] = Next(keys[2], HardwareAes.KeygenAssist(keys[2], 0x04));
        keys[4] = Next(keys[3], HardwareAes.KeygenAssist(keys[3], 0x08));
        keys[5] = Next(keys[4], HardwareAes.KeygenAssist(keys[4], 0x10));
        keys[6] = Next(keys[5], HardwareAes.KeygenAssist(keys[5], 0x20));
        keys[7] = Next(keys[6], HardwareAes.KeygenAssist(keys[6], 0x40));
        keys[8] = Next(keys[7], HardwareAes.KeygenAssist(keys[7], 0x80));
        keys[9] = Next(keys[8], HardwareAes.KeygenAssist(keys[8], 0x1B));
        keys[10] = Next(keys[9], HardwareAes.KeygenAssist(keys[9], 0x36));
        return keys;
    }

    private static Vector128<byte> Next(Vector128<byte> before, Vector128<byte> assist)
    {
        var word = assist.AsUInt32().GetElement(3); // RotWord, SubWord and the constant
        var words = before.AsUInt32();
        var first = words.GetElement(0) ^ word;
        var second = words.GetElement(1) ^ first;
        var third = words.GetElement(2) ^ second;
        return Vector128.Create(first, second, third, words.GetElement(3) ^ third).AsByte();
    }
}
